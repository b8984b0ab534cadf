//! Every frame carries its own birth time; late is worse than coarse.
