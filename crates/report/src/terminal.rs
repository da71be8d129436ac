//! A run's figures and curves for a terminal: plain text of a given width, colour only where asked for.
