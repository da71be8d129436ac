//! What a run writes and everyone reads.
