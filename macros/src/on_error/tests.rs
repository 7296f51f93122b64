use quote::quote;

use super::run;
use crate::snapshot::pretty;

#[test]
fn each_question_mark_breaks_to_its_own_report() {
    let item = quote! {
        async fn recommend(db: &Db, cart: &Cart) -> Vec<Item> {
            let similar = db.similar(cart).await?;
            let known = format!("{}", db.known()?);
            similar.into_iter().filter(|item| item.name != known).collect()
        }
    };
    insta::assert_snapshot!(pretty(run(quote!(return = Vec::new()), item)));
}

#[test]
fn a_result_is_looked_at_where_it_leaves() {
    let item = quote! {
        fn load(id: u64) -> Result<Cart, LoadError> {
            if id == 0 {
                return Err(LoadError);
            }
            Ok(fetch(id)?)
        }
    };
    insta::assert_snapshot!(pretty(run(quote!(return = Ok(Cart::empty())), item)));
}

#[test]
fn a_macro_that_hides_a_return_leaves_by_a_question_mark() {
    let item = quote! {
        fn load(id: u64) -> anyhow::Result<Cart> {
            ensure!(id > 0, "no id");
            let later = || bail!("of the closure");
            bail!("{}", fetch(id)?);
            match id {
                7 => fetch(id),
                _ => anyhow::bail!("no cart {id}"),
            }
        }
    };
    insta::assert_snapshot!(pretty(run(quote!(return = Ok(Cart::empty())), item)));
}

#[test]
fn none_is_no_failure_of_an_option() {
    let item = quote!(
        fn f(v: &[u8]) -> Option<u8> {
            let x = v.first()?;
            parse(x)?;
            Some(*x)
        }
    );
    insta::assert_snapshot!(pretty(run(quote!(return = None), item)));
}

#[test]
fn panics_need_a_closure() {
    let item = quote!(
        fn f(v: &[u8]) -> u8 {
            if v.is_empty() {
                return 0;
            }
            v[7]
        }
    );
    insta::assert_snapshot!(pretty(run(quote!(return = 1, panics), item)));
}

#[test]
fn a_returned_async_block_is_rewritten_and_another_future_wrapped() {
    let item = quote! {
        fn load(&self) -> Pin<Box<dyn Future<Output = Result<u8, E>> + '_>> {
            if self.empty {
                return self.other();
            }
            Box::pin(async move { self.fetch().await? })
        }
    };
    insta::assert_snapshot!(pretty(run(quote!(return = Ok(0)), item)));
}

#[test]
fn question_marks_of_closures_and_blocks_stay_theirs() {
    let item = quote! {
        fn f() -> u8 {
            let a = || -> Option<u8> { g()? };
            let b = async { h()? };
            a().unwrap_or(1)
        }
    };
    let expansion = run(quote!(return = 0), item).to_string();
    let theirs = ["g ()", "h ()"].map(|operand| format!("mark () , {operand} , & __CANONLOG_FUN , 0u32) ?"));
    assert!(theirs.iter().all(|theirs| expansion.contains(theirs)), "{expansion}");
    assert!(!expansion.contains("break"), "{expansion}");
}
