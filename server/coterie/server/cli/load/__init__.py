"""`coterie load`: events and attributes from CSV, JSON lines and Parquet files."""
