use quote::quote;

use super::run;
use crate::snapshot::pretty;

#[test]
fn an_async_function_runs_inside_a_boundary() {
    let args = quote!(name = "cart_load", fields(cart_id = id), timeout = "1.5s");
    insta::assert_snapshot!(pretty(run(
        args,
        quote! {
            /// Loads a cart.
            pub async fn load(id: u64) -> Result<Cart, LoadError> {
                if id == 0 {
                    return Err(LoadError);
                }
                let row = fetch(id).await?;
                Ok(row.into())
            }
        }
    )));
}

#[test]
fn a_sync_function_runs_in_a_closure_of_its_own_type() {
    insta::assert_snapshot!(pretty(run(
        quote!(),
        quote!(
            fn first(v: &mut Vec<u8>) -> &mut u8 {
                &mut v[0]
            }
        )
    )));
}

#[test]
fn a_boxed_future_is_wrapped_and_boxed_again() {
    let item = quote! {
        fn load<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<u8, E>> + Send + 'a>> {
            if self.empty {
                return Box::pin(ready(Ok(0)));
            }
            Box::pin(async move { Ok(self.fetch().await?) })
        }
    };
    insta::assert_snapshot!(pretty(run(quote!(kind = "job", fields(id = self.id), crate = my::canonlog), item)));
}

#[test]
fn a_function_that_never_returns_has_no_exits() {
    insta::assert_snapshot!(pretty(run(
        quote!(),
        quote!(
            async fn serve() -> ! {
                loop {
                    tick().await;
                }
            }
        )
    )));
}

#[test]
fn it_stands_below_on_error_whatever_the_order() {
    let item = quote!(
        #[on_error(return = 0)]
        #[inline]
        fn f() -> u8 {
            g()?
        }
    );
    insta::assert_snapshot!(pretty(run(quote!(name = "f"), item)));
}

#[test]
fn an_unfinished_body_is_left_alone() {
    let item = quote!(fn f() -> u8 { let x = y. });
    let expansion = run(quote!(), item.clone());
    assert_eq!(expansion.to_string(), item.to_string());
}

#[test]
fn mistakes_are_reported_together_and_the_function_is_kept() {
    let expansion = run(
        quote!(nmae = "x", kind = "batch", timeout = "2"),
        quote!(
            fn f() {}
        ),
    )
    .to_string();
    assert_eq!(expansion.matches("compile_error").count(), 3, "{expansion}");
    assert!(expansion.ends_with("fn f () { }"), "{expansion}");
}
