use quote::quote;

use super::run;
use crate::snapshot::pretty;

#[test]
fn a_guard_stands_before_the_body() {
    let args = quote!(fields(cart_id = id), tags(table = "carts"));
    insta::assert_snapshot!(pretty(run(
        args,
        quote!(
            async fn load(id: u64) -> Cart {
                fetch(id).await
            }
        )
    )));
}

#[test]
fn a_returned_future_is_timed_from_its_first_poll() {
    let item = quote!(
        fn load(id: u64) -> impl Future<Output = Cart> + Send {
            fetch(id)
        }
    );
    insta::assert_snapshot!(pretty(run(quote!(name = "cart_load", fields(cart_id = id)), item)));
}

#[test]
fn a_const_function_gets_one_message() {
    let expansion = run(
        quote!(),
        quote!(
            const fn f() -> u8 {
                1
            }
        ),
    )
    .to_string();
    assert_eq!(expansion.matches("compile_error").count(), 1, "{expansion}");
}
