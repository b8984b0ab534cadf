//! Keeps and serves what the alliance decided; never in the path of a running operation.
