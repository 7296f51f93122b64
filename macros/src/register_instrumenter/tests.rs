use quote::quote;

use super::run;
use crate::snapshot::pretty;

#[test]
fn a_unit_struct_is_made_by_its_name() {
    let args = quote!(after = "database", before = ["error", "saturation"], order = -5);
    insta::assert_snapshot!(pretty(run(
        args,
        quote!(
            struct AppVersion;
        )
    )));
}

#[test]
fn the_type_of_an_impl_is_made_by_default() {
    let item = quote! {
        impl canonlog::Instrumenter for AppVersion {
            fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> { Ok(()) }
        }
    };
    insta::assert_snapshot!(pretty(run(quote!(name = "version"), item)));
}

#[test]
fn mistakes_in_arguments_and_item_are_reported_together() {
    let expansion = run(
        quote!(order = "first", aftre = "x"),
        quote!(
            fn f() {}
        ),
    )
    .to_string();
    assert_eq!(expansion.matches("compile_error").count(), 3, "{expansion}");
}
