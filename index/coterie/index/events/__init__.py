"""Events as columns: filters over them, the history they are kept in, and which were seen before."""
