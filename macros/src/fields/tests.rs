use quote::quote;

use super::run;
use crate::snapshot::pretty;

#[test]
fn each_field_is_handed_on_by_its_name() {
    insta::assert_snapshot!(pretty(run(quote! {
        struct Cart<'a, T> {
            id: u64,
            #[canonlog(rename = "cart_total")]
            total: T,
            #[canonlog(skip)]
            lines: Vec<Line>,
            #[canonlog(redact)]
            card: &'a str,
            #[canonlog(flatten)]
            customer: Customer,
            r#type: &'a str,
        }
    })));
}

#[test]
fn another_name_for_the_crate_is_used_throughout() {
    let expansion = run(quote!(
        #[canonlog(crate = my::canonlog)]
        struct Cart {
            id: u64,
        }
    ))
    .to_string();
    assert!(!expansion.contains("impl :: canonlog"), "{expansion}");
    assert!(expansion.contains("my :: canonlog :: Fields for Cart"), "{expansion}");
}

#[test]
fn a_wrong_derive_still_implements_the_trait() {
    let expansion = run(quote!(
        enum Cart {
            Empty,
        }
    ))
    .to_string();
    assert_eq!(expansion.matches("compile_error").count(), 1, "{expansion}");
    assert!(expansion.contains("impl :: canonlog :: Fields for Cart"), "{expansion}");
}
