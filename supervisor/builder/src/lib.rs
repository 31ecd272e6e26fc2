//! Make: the pipeline from a request to a wheel in the cache.
