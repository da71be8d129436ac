//! Pictures, HTML and terminal frames, from records alone.
