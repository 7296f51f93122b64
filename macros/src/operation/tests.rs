use quote::quote;

#[test]
fn placeholder() {
    let _ = quote!(a);
}
