//! One declaration of a table of settings: struct, defaults, how it is read and checked, and what is told of it.

use crate::{Key, OutOfRange, Range};

/// A value that a setting may have: it knows whether it lies in its key's range.
pub trait Setting {
    /// Checks it; `of` names the table that holds it. Kinds of values that no range of numbers is about pass.
    ///
    /// # Errors
    /// Names the key and the first number that is not allowed.
    fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange>;
}

impl Key {
    /// Checks one number; ranges that are not about numbers allow all.
    ///
    /// # Errors
    /// When the range does not allow it.
    pub fn check(&self, of: &'static str, value: f64) -> Result<(), OutOfRange> {
        let allowed = self.range.plain();
        match allowed {
            Range::Words(_) | Range::Switch | Range::Other(_) => Ok(()),
            _ if allowed.allows(value) => Ok(()),
            _ => Err(OutOfRange { of, key: self.name, value, allowed, default: self.default }),
        }
    }
}

macro_rules! numbers {
    ($($number:ty),+) => {
        $(impl Setting for $number {
            fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange> {
                key.check(of, *self as f64)
            }
        })+
    };
}

numbers! { f32, f64, u32, u64, usize }

impl Setting for bool {
    fn check(&self, _: &'static str, _: &Key) -> Result<(), OutOfRange> {
        Ok(())
    }
}

impl<T: Setting> Setting for Option<T> {
    fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange> {
        self.as_ref().map_or(Ok(()), |value| value.check(of, key))
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange> {
        self.iter().try_for_each(|value| value.check(of, key))
    }
}

impl<T: Setting, const N: usize> Setting for [T; N] {
    fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange> {
        self.iter().try_for_each(|value| value.check(of, key))
    }
}

/// Lists types whose values their own readers judge, so that no range is about them.
#[macro_export]
macro_rules! unranged {
    ($($Type:ty),+ $(,)?) => {
        $(impl $crate::Setting for $Type {
            fn check(&self, _: &'static str, _: &$crate::Key) -> Result<(), $crate::OutOfRange> {
                Ok(())
            }
        })+
    };
}

/// A help text from a comment: the first character of `/// text` is a blank.
#[doc(hidden)]
pub const fn help(comment: &'static str) -> &'static str {
    match comment.as_bytes() {
        [b' ', ..] => comment.split_at(1).1,
        _ => comment,
    }
}

/// Declares a table of settings once.
///
/// Each setting has a comment whose first line is its help, a type, a default (with its JSON behind `=>` where that is
/// not how Rust writes it), a unit where it has one, and a range. Those without a default come first, in `needs { }`.
///
/// ```
/// use settings::{Range, settings};
///
/// settings! {
///     /// Drops values at random.
///     #[derive(Clone, Debug, PartialEq)]
///     pub struct Dropout of "dropout" {
///         /// probability of dropping a value
///         pub drop: f64 = 0.5, in Range::Below(0.0, 1.0);
///         /// length of a burst
///         pub burst: Option<usize> = None => "null", unit "values", in Range::AtLeast(1.0);
///     }
/// }
///
/// let read: Dropout = serde_json::from_str(r#"{ "drop": 1.5 }"#)?;
/// assert_eq!(read, Dropout { drop: 1.5, ..Dropout::default() });
/// assert_eq!(read.in_range().unwrap_err().to_string(), "dropout: `drop` is 1.5, expected from 0 to below 1");
/// assert_eq!(Dropout::KEYS[1].help, "length of a burst");
/// assert_eq!((Dropout::KEYS[0].default, Dropout::KEYS[1].default), ("0.5", "null"));
/// assert!(serde_json::from_str::<Dropout>(r#"{ "dorp": 1 }"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// From it come the struct with `Serialize` and `Deserialize` (absent keys have their defaults, unknown ones are
/// refused), `Default`, `KEYS` for the table's [`Entry`](crate::Entry), and `in_range`. A table with settings that have
/// no default has in place of `Default` a private constructor `needing`, which takes these.
#[macro_export]
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $pub:vis struct $Table:ident of $name:literal {
            $(
                #[doc = $help:literal]
                $(#[$attribute:meta])*
                $vis:vis $key:ident: $Type:ty = $default:expr $(=> $json:expr)?, $(unit $unit:literal,)?
                $(via $reader:path,)? in $range:expr;
            )*
        }
    ) => {
        $crate::settings! { @table
            [$(#[$meta])*] [$pub] $Table $name
            []
            [$([$help] [$(#[$attribute])*] [$vis] $key [$Type] [$default] [$($json)?] [$($unit)?] [$($reader)?]
                [$range])*]
        }

        impl Default for $Table {
            fn default() -> Self {
                $Table { $($key: $default),* }
            }
        }
    };
    (
        $(#[$meta:meta])*
        $pub:vis struct $Table:ident of $name:literal {
            needs {
                $(
                    #[doc = $needed_help:literal]
                    $(#[$needed_attribute:meta])*
                    $needed_vis:vis $needed:ident: $Needed:ty, $(unit $needed_unit:literal,)?
                    $(via $needed_reader:path,)? in $needed_range:expr;
                )+
            }
            $(
                #[doc = $help:literal]
                $(#[$attribute:meta])*
                $vis:vis $key:ident: $Type:ty = $default:expr $(=> $json:expr)?, $(unit $unit:literal,)?
                $(via $reader:path,)? in $range:expr;
            )*
        }
    ) => {
        $crate::settings! { @table
            [$(#[$meta])*] [$pub] $Table $name
            [$([$needed_help] [$(#[$needed_attribute])*] [$needed_vis] $needed [$Needed] [$($needed_unit)?]
                [$($needed_reader)?] [$needed_range])+]
            [$([$help] [$(#[$attribute])*] [$vis] $key [$Type] [$default] [$($json)?] [$($unit)?] [$($reader)?]
                [$range])*]
        }

        impl $Table {
            /// With what has no default; all else as it is by default.
            fn needing($($needed: $Needed),+) -> Self {
                $Table { $($needed,)+ $($key: $default),* }
            }
        }
    };
    (@table
        [$(#[$meta:meta])*] [$pub:vis] $Table:ident $name:literal
        [$([$needed_help:literal] [$(#[$needed_attribute:meta])*] [$needed_vis:vis] $needed:ident [$Needed:ty]
            [$($needed_unit:literal)?] [$($needed_reader:path)?] [$needed_range:expr])*]
        [$([$help:literal] [$(#[$attribute:meta])*] [$vis:vis] $key:ident [$Type:ty] [$default:expr] [$($json:expr)?]
            [$($unit:literal)?] [$($reader:path)?] [$range:expr])*]
    ) => {
        $(#[$meta])*
        #[derive(serde::Serialize)]
        $pub struct $Table {
            $(
                #[doc = $needed_help]
                $(#[$needed_attribute])*
                $needed_vis $needed: $Needed,
            )*
            $(
                #[doc = $help]
                $(#[$attribute])*
                #[doc = ""]
                #[doc = concat!("Default: `", $crate::settings!(@text [$default] [$($json)?]), "`.")]
                $vis $key: $Type,
            )*
        }

        impl $Table {
            /// Its name in the registry.
            pub const NAME: &'static str = $name;

            /// Its keys, in the order in which they are written.
            pub const KEYS: &'static [$crate::Key] = &[
                $($crate::settings!(@key $needed [""] [$($needed_unit)?] $needed_range, $needed_help),)*
                $($crate::settings!(
                    @key $key [$crate::settings!(@text [$default] [$($json)?])] [$($unit)?] $range, $help
                )),*
            ];

            /// Checks every value against the range of its key.
            ///
            /// # Errors
            /// Names the first key whose value is not allowed.
            pub fn in_range(&self) -> Result<(), $crate::OutOfRange> {
                $({
                    const KEY: $crate::Key =
                        $crate::settings!(@key $needed [""] [$($needed_unit)?] $needed_range, $needed_help);
                    $crate::Setting::check(&self.$needed, $name, &KEY)?;
                })*
                $({
                    const KEY: $crate::Key = $crate::settings!(
                        @key $key [$crate::settings!(@text [$default] [$($json)?])] [$($unit)?] $range, $help
                    );
                    $crate::Setting::check(&self.$key, $name, &KEY)?;
                })*
                Ok(())
            }
        }

        impl<'de> serde::Deserialize<'de> for $Table {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Read;

                impl<'de> serde::de::Visitor<'de> for Read {
                    type Value = $Table;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("a table with the keys of ", $name))
                    }

                    fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<$Table, M::Error> {
                        use serde::de::Error;
                        $(let mut $needed: Option<$Needed> = None;)*
                        $(let mut $key: Option<$Type> = None;)*
                        while let Some(word) = map.next_key::<String>()? {
                            match word.as_str() {
                                $(stringify!($needed) => {
                                    let value = $crate::settings!(@value map [$Needed] [$($needed_reader)?]);
                                    if $needed.replace(value).is_some() {
                                        return Err(M::Error::duplicate_field(stringify!($needed)));
                                    }
                                })*
                                $(stringify!($key) => {
                                    let value = $crate::settings!(@value map [$Type] [$($reader)?]);
                                    if $key.replace(value).is_some() {
                                        return Err(M::Error::duplicate_field(stringify!($key)));
                                    }
                                })*
                                _ => return Err(M::Error::unknown_field(&word, KEYS)),
                            }
                        }
                        Ok($Table {
                            $($needed: match $needed {
                                Some(value) => value,
                                None => return Err(M::Error::missing_field(stringify!($needed))),
                            },)*
                            $($key: match $key {
                                Some(value) => value,
                                None => $default,
                            },)*
                        })
                    }
                }

                const KEYS: &[&str] = &[$(stringify!($needed),)* $(stringify!($key)),*];
                from.deserialize_struct(stringify!($Table), KEYS, Read)
            }
        }
    };
    (@text [$default:expr] []) => { stringify!($default) };
    (@text [$default:expr] [$json:expr]) => { $json };
    (@key $key:ident [$default:expr] [$($unit:literal)?] $range:expr, $help:literal) => {
        $crate::Key {
            name: stringify!($key),
            default: $default,
            unit: concat!($($unit)?),
            range: $range,
            help: $crate::help($help),
        }
    };
    (@value $map:ident [$Type:ty] []) => { $map.next_value::<$Type>()? };
    (@value $map:ident [$Type:ty] [$reader:path]) => {{
        struct Via($Type);

        impl<'de> serde::Deserialize<'de> for Via {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $reader(from).map(Via)
            }
        }

        $map.next_value::<Via>()?.0
    }};
}
