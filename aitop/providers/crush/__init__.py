"""Crush: a database in each project, and a file that lists the projects. Read `database.py` first."""

from aitop.providers.crush import projects
from aitop.providers.declaration import Client

provider = Client(
    "crush",
    ("~/.local/share/crush/projects.json", "DATA/crush/projects.json"),
    r"/crush\.db$",
    "aitop.providers.crush.database",
    moved_by=(("CRUSH_GLOBAL_DATA", "projects.json"),),
    keeps_note=True,
    finds=projects.databases,
)
