//! The Mini App and the web: pages and the browser's code
