"""Many runs of one article: planned, done in parallel, kept, put into one table, compared."""
