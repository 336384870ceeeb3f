//! A vector database that lives inside the program that uses it.

mod distance;
