"""One formula over the columns of a table: reading, evaluating, uncertainties, writing."""
