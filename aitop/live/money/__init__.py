"""Money over time: five-hour blocks, limits, budgets and forecasts. Pure but for `keeper`'s questions."""
