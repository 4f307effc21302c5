"""Models on a machine of the user's: they cost nothing, and no sum becomes a lower bound by them."""

import pytest
from support.desk import Desk
from support.opencode_records import SESSION, Client, said

from aitop.providers.local_models import is_local
from aitop.providers.opencode import provider


@pytest.mark.parametrize(
    ("name", "model", "local"),
    [
        ("ollama", "qwen3", True), ("LMStudio", "openai/gpt-oss-20b", True), ("oss", None, True),
        ("ollama", "gpt-oss:120b-cloud", False), ("ollama", "kimi-k2:cloud", False), ("openai", "gpt-5", False),
        (None, "gpt-5", False), (["ollama"], "x", False),
    ],
)  # fmt: skip
def test_the_providers_name_says_it_and_models_in_the_cloud_are_not(name, model, local):
    assert is_local(name, model) is local


@pytest.mark.parametrize("name", ["lmstudio", "ollama"])
def test_opencode_with_a_model_on_this_machine_costs_nothing(tmp_path, name):
    client = Client(tmp_path / "data" / "opencode.db")
    client.message(data=said(modelID="openai/gpt-oss-20b", providerID=name))
    total = Desk(provider, *provider.folders([str(tmp_path / "data")], {})).read().total(SESSION)
    client.db.close()
    assert (total.requests, total.cost, total.unpriced_requests) == (1, 0, 0)
