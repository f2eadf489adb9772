//! A rehearsal and the engine send the same.
