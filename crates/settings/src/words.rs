//! One declaration of a choice of words: the enum, how it is read and written, and the list of the words.

/// Declares a choice of words once.
///
/// ```
/// use settings::words;
///
/// words! {
///     /// What is beyond the frame.
///     pub enum Fill {
///         /// Zeros.
///         Zero = "zero",
///         /// The pixel at the edge.
///         Edge = "edge",
///     }
/// }
///
/// assert_eq!(Fill::WORDS, ["zero", "edge"]);
/// assert_eq!((Fill::Edge.word(), serde_json::to_string(&Fill::Edge)?), ("edge", "\"edge\"".to_string()));
/// assert_eq!(serde_json::from_str::<Fill>("\"zero\"")?, Fill::Zero);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $pub:vis enum $Words:ident {
            $($(#[$attribute:meta])* $Word:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        $pub enum $Words {
            $($(#[$attribute])* #[serde(rename = $word)] $Word),+
        }

        impl $Words {
            /// The words in a config, in the order of the docs.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word in a config.
            pub fn word(self) -> &'static str {
                match self {
                    $($Words::$Word => $word),+
                }
            }
        }

        $crate::unranged! { $Words }
    };
}
