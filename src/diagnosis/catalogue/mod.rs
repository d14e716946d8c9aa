//! Every cause of the catalogue in words.
