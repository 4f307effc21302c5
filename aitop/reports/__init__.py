"""Questions to the history, asked by a person: totals by model and session, as tables or JSON."""
