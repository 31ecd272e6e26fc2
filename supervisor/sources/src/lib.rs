//! Get: source distributions from wherever they are, named by their bytes.
