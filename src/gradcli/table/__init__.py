"""The operator table: what a row is, how it records the graph, and where rows are found."""
