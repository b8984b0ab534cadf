mod clocks;
mod commands;
mod drill;
mod hostile;
mod messages;
mod pictures;
