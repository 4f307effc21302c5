"""Money over time: five-hour blocks, limits, budgets and forecasts. Pure but for what `tracker` and `learner` ask."""
