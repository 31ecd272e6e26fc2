//! A person in front of a program of a build: what is typed goes in, what comes out is made fit for
//! the terminal.
//!
//! The program never holds the person's terminal. It gets one of its own, or a socket where nobody
//! sits at one, and between the two stands [`Screen`].

mod screen;
mod stream;

pub(crate) use screen::Screen;
pub(crate) use stream::Stream;
