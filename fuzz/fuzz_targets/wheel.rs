//! Any bytes are a wheel, or none; the names of its modules can be imported.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur::python::wheel::modules_of_wheel;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(contents) = modules_of_wheel(bytes) {
        for module in &contents.modules {
            assert!(!module.name.is_empty() && !module.name.contains(['/', '\\', '\0']));
        }
    }
});
