//! A server on this machine that answers as a test says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Serves until the process ends: status and body for each request, which is told whole. What it was told of
/// `Authorization` is said back in a header. Its address.
pub(crate) fn serve(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|line| reply(line, &answer)));
    format!("http://{address}")
}

/// The value of a request's header, its name in small letters.
pub(crate) fn header<'a>(told: &'a str, name: &str) -> Option<&'a str> {
    let head = told.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn reply(mut line: TcpStream, answer: &impl Fn(&str) -> (u16, String)) {
    let Some(told) = request(&mut line) else { return };
    let shown = header(&told, "authorization").unwrap_or("none");
    let (status, body) = answer(&told);
    let reply = format!(
        "HTTP/1.1 {status} Told\r\nX-Told: {shown}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // Whoever has gone needs no answer.
    let _ = line.write_all(reply.as_bytes());
}

/// A whole request; none if the line ends before it does.
fn request(line: &mut TcpStream) -> Option<String> {
    let mut told = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&told);
        if let Some((_, body)) = text.split_once("\r\n\r\n") {
            let length = header(&text, "content-length");
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text.into_owned());
            }
        }
        let read = line.read(&mut chunk).ok().filter(|read| *read > 0)?;
        told.extend_from_slice(&chunk[..read]);
    }
}
