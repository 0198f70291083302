"""Who the subjects are: `identity` gives external identifiers their dense ids, `attributes` keeps their values."""
