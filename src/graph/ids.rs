//! Handles into the graph. Pure values; touches nothing.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(super) u32);

        impl $name {
            /// The handle of position `index`.
            pub(super) fn new(index: usize) -> Self {
                Self(index as u32)
            }

            /// Its position, dense from zero.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A target, on disk or outside of it.
    TargetId;
    /// A Python source file or notebook on disk.
    FileId;
    /// A dotted module name.
    NameId;
}
