//! One declaration of a table of the config: the struct, its defaults, and what checks, messages, the written config
//! and the schema know of its keys.

/// Declares a table of the config once: each key has a comment whose first line is its help, a type, a default (with
/// its TOML behind `=>` where that is not how Rust writes it), an example where it is not set by default, and its kind.
macro_rules! fields {
    (
        $(#[$meta:meta])*
        pub struct $Table:ident {
            $(
                #[doc = $help:literal]
                $(#[$attribute:meta])*
                pub $key:ident: $Type:ty = $default:expr $(=> $toml:literal)? $(, example $example:literal)?,
                is $kind:expr;
            )*
        }
    ) => {
        $(#[$meta])*
        pub struct $Table {
            $(
                #[doc = $help]
                $(#[$attribute])*
                pub $key: $Type,
            )*
        }

        impl Default for $Table {
            fn default() -> Self {
                $Table { $($key: $default),* }
            }
        }

        #[cfg(feature = "runs")]
        impl $Table {
            /// Its keys, in the order in which they are written.
            pub const FIELDS: &'static [crate::config::field::Field] = &[$(crate::config::field::Field {
                name: crate::config::field::plain(stringify!($key)),
                kind: $kind,
                default: fields!(@default [$default] [$($toml)?] [$($example)?]),
                example: concat!($($example)?),
                help: settings::help($help),
            }),*];
        }
    };
    (@default [$default:expr] [] []) => { stringify!($default) };
    (@default [$default:expr] [$toml:literal] []) => { $toml };
    (@default [$default:expr] [] [$example:literal]) => { "" };
}

pub(super) use fields;
