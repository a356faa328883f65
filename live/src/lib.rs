//! One live match: its task, its clock, its fan-out
