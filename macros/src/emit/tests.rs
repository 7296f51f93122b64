use quote::quote;

use super::run;
use crate::snapshot::pretty;

#[test]
fn what_leaves_is_said_first() {
    let item = quote! {
        fn checked_out(&self, items: u64) -> Message<impl Carried> {
            if items == 0 {
                return self.log.field("items", 0);
            }
            self.log.field("items", items)
        }
    };
    insta::assert_snapshot!(pretty(run(quote!(info, text = "checked out"), item)));
}

#[test]
fn a_returned_async_block_says_what_it_gives() {
    let item = quote!(
        fn load(id: u64) -> impl Future<Output = Cart> + Send {
            async move { fetch(id).await }
        }
    );
    insta::assert_snapshot!(pretty(run(quote!(debug, logger = SHOP), item)));
}

#[test]
fn each_mistake_gets_one_message() {
    for (args, item) in [
        (
            quote!(),
            quote!(
                fn f() -> Cart {
                    cart()
                }
            ),
        ),
        (
            quote!(info, error),
            quote!(
                fn f() -> Cart {
                    cart()
                }
            ),
        ),
        (
            quote!(info),
            quote!(
                fn f() {}
            ),
        ),
        (
            quote!(info),
            quote!(
                const fn f() -> u8 {
                    1
                }
            ),
        ),
    ] {
        let expansion = run(args, item).to_string();
        assert_eq!(expansion.matches("compile_error").count(), 1, "{expansion}");
    }
}
