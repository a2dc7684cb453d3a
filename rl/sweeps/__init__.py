"""Many runs of one article: plan, parallel execution, records, one table, comparison."""
