//! What the kinds of rules mean for Python. Pure tables.

/// A rule, as far as the graph tells rules apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Python modules for others to import.
    PythonLibrary,
    /// A Python program.
    PythonBinary,
    /// A Python test.
    PythonTest,
    /// A wheel or an unpacked distribution.
    PythonPrebuilt,
    /// One native module.
    PythonExtension,
    /// Definitions of protocol buffers, of which rules for Python make modules.
    Proto,
    /// Another name for a target.
    Alias,
    /// A program or test in another language.
    OtherExecutable,
    /// Produces files: genrules, filegroups, exported files.
    Files,
    /// A library in another language.
    OtherLibrary,
    /// Constraints, platforms and toolchains.
    Configuration,
    /// A macro that could not be read.
    Unknown,
    /// Not on disk.
    External,
}

impl Kind {
    /// The kind of a rule by its name; `known` says whether the rule itself was found.
    pub fn of_rule(rule: &str, known: bool) -> Self {
        match rule {
            "python_library"
            | "py_library"
            | "python_bootstrap_library"
            | "py_proto_library"
            | "py_grpc_library" => Self::PythonLibrary,
            "proto_library" => Self::Proto,
            "python_binary" | "py_binary" | "python_bootstrap_binary" => Self::PythonBinary,
            "python_test" | "py_test" | "python_needed_coverage_test" => Self::PythonTest,
            "prebuilt_python_library" => Self::PythonPrebuilt,
            "cxx_python_extension" | "cython_library" | "cython_static_extension" => {
                Self::PythonExtension
            }
            "alias"
            | "configured_alias"
            | "versioned_alias"
            | "toolchain_alias"
            | "configuration_alias" => Self::Alias,
            "genrule" | "filegroup" | "export_file" | "remote_file" | "http_file"
            | "http_archive" | "cxx_genrule" | "extract_archive" | "write_file" | "zip_file"
            | "copy_file" => Self::Files,
            "constraint_setting"
            | "constraint_value"
            | "config_setting"
            | "platform"
            | "execution_platform"
            | "execution_platforms"
            | "constraint"
            | "package_group" => Self::Configuration,
            "toolchain"
            | "toolchain_type"
            | "label_flag"
            | "label_setting"
            | "environment"
            | "config_setting_group"
            | "config_feature_flag"
            | "py_runtime"
            | "py_runtime_pair" => Self::Configuration,
            _ if rule.ends_with("_toolchain") => Self::Configuration,
            _ if !known || rule.starts_with('?') => Self::Unknown,
            _ if is_executable_name(rule) => Self::OtherExecutable,
            _ => Self::OtherLibrary,
        }
    }

    /// Whether something outside of the graph starts it.
    pub fn is_executable(self) -> bool {
        matches!(self, Self::PythonBinary | Self::PythonTest | Self::OtherExecutable)
    }

    /// Whether its sources are Python modules.
    pub fn has_python_sources(self) -> bool {
        matches!(self, Self::PythonLibrary | Self::PythonBinary | Self::PythonTest | Self::Unknown)
    }

    /// Whether imports can tell that a dependency on it is not used.
    pub fn is_judged_by_imports(self) -> bool {
        matches!(
            self,
            Self::PythonLibrary
                | Self::PythonPrebuilt
                | Self::PythonExtension
                | Self::External
                | Self::Proto
        )
    }
}

/// Names that rules of programs and tests end in, in every prelude.
fn is_executable_name(rule: &str) -> bool {
    ["_binary", "_test", "_unittest", "_bundle", "_apk"].iter().any(|end| rule.ends_with(end))
        || matches!(rule, "command_alias" | "test_suite" | "py_wheel")
}
