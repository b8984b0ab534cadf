//! Built files only; a page has no privilege the public API does not give.
