//! What does not fail returns what it did, without an event.
//!
//! The shapes are those of `all.rs`, written out: each needs an expression of its own to return, which stands in its attribute.

use std::error::Error;
use std::fmt::Display;
use std::future::ready;
use std::num::ParseIntError;
use std::pin::Pin;

use async_trait::async_trait;
use canonlog::{on_error, testing};
use futures_util::future::BoxFuture;

use crate::block_on;

#[test]
fn a_sync_function() {
    #[on_error(return = 0)]
    fn add(a: u8, b: u8) -> u8 {
        a + b
    }
    let capture = testing::capture();
    assert_eq!(add(1, 2), 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn an_async_function() {
    #[on_error(return = 0)]
    async fn add(a: u8, b: u8) -> u8 {
        ready(a).await + b
    }
    let capture = testing::capture();
    assert_eq!(block_on(add(1, 2)), 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_function_without_a_result() {
    #[on_error(return = ())]
    fn fill(out: &mut Vec<u8>) {
        if out.is_empty() {
            return;
        }
        out.push(1);
    }
    let capture = testing::capture();
    let mut out = vec![0];
    fill(&mut out);
    assert_eq!(out, [0, 1]);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_method_by_reference() {
    struct Cart(u8);
    impl Cart {
        #[on_error(return = 0)]
        fn total(&self) -> u8 {
            self.0
        }
    }
    let capture = testing::capture();
    assert_eq!(Cart(3).total(), 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_method_by_mutable_reference() {
    struct Cart(u8);
    impl Cart {
        #[on_error(return = Box::leak(Box::new(0)))]
        async fn grow(&mut self) -> &mut u8 {
            self.0 += 1;
            &mut self.0
        }
    }
    let capture = testing::capture();
    let mut cart = Cart(1);
    *block_on(cart.grow()) += 1;
    assert_eq!(cart.0, 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_method_by_pinned_reference() {
    struct Cart(u8);
    impl Cart {
        #[on_error(return = 0)]
        fn grow(mut self: Pin<&mut Self>) -> u8 {
            self.0 += 1;
            self.0
        }
    }
    let capture = testing::capture();
    assert_eq!(Pin::new(&mut Cart(1)).grow(), 2);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_method_by_value_and_by_box() {
    struct Cart(String);
    impl Cart {
        #[on_error(return = String::new())]
        fn name(self) -> String {
            self.0
        }
        #[on_error(return = String::new())]
        async fn boxed_name(self: Box<Self>) -> String {
            self.0
        }
    }
    let capture = testing::capture();
    assert_eq!(Cart("a".to_owned()).name(), "a");
    assert_eq!(block_on(Box::new(Cart("b".to_owned())).boxed_name()), "b");
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_generic_with_constants_and_where() {
    #[on_error(return = 0)]
    fn sum<'v, T, const N: usize>(values: &'v [T; N]) -> u64
    where
        T: Copy + 'v,
        u64: From<T>,
    {
        values.iter().map(|value| u64::from(*value)).sum()
    }
    let capture = testing::capture();
    assert_eq!(sum(&[1_u8, 2]), 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn elided_lifetimes() {
    #[on_error(return = "")]
    async fn first(text: &str, _other: u8) -> &str {
        text.split(' ').next().unwrap_or(text)
    }
    let capture = testing::capture();
    assert_eq!(block_on(first("a b", 0)), "a");
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn named_lifetimes() {
    #[on_error(return = "")]
    fn longer<'a, 'b: 'a>(a: &'a str, b: &'b str) -> &'a str {
        if a.len() > b.len() { a } else { b }
    }
    let capture = testing::capture();
    assert_eq!(longer("a", "bc"), "bc");
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn an_argument_of_some_type() {
    #[on_error(return = String::new())]
    async fn show(value: impl Display + Send) -> String {
        value.to_string()
    }
    let capture = testing::capture();
    assert_eq!(block_on(show(7)), "7");
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_result_of_some_type() {
    #[on_error(return = (0..0).map(even as fn(u32) -> u32))]
    fn evens(limit: u32) -> impl Iterator<Item = u32> {
        (0..limit).map(even as fn(u32) -> u32)
    }
    fn even(n: u32) -> u32 {
        n * 2
    }
    let capture = testing::capture();
    assert_eq!(evens(3).collect::<Vec<_>>(), [0, 2, 4]);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_result_of_some_type_inside_another() {
    #[on_error(return = Ok((0..0).rev()))]
    fn digits(text: &str) -> Result<impl Iterator<Item = u32>, ParseIntError> {
        let number: u32 = text.parse()?;
        Ok((0..number).rev())
    }
    let capture = testing::capture();
    assert_eq!(digits("3").expect("a number").collect::<Vec<_>>(), [2, 1, 0]);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn an_async_method_of_a_trait() {
    trait Load {
        async fn load(&self, id: u8) -> u8;
        async fn twice(&self, id: u8) -> u8 {
            self.load(id).await * 2
        }
    }
    struct Cart;
    impl Load for Cart {
        #[on_error(return = 0)]
        async fn load(&self, id: u8) -> u8 {
            id + 1
        }
    }
    let capture = testing::capture();
    assert_eq!(block_on(Cart.twice(1)), 4);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_default_body_in_a_trait() {
    trait Load {
        fn id(&self) -> u8;
        #[on_error(return = 0)]
        async fn load(&self) -> u8 {
            self.id() + 1
        }
    }
    struct Cart;
    impl Load for Cart {
        fn id(&self) -> u8 {
            6
        }
    }
    let capture = testing::capture();
    assert_eq!(block_on(Cart.load()), 7);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_method_of_an_async_trait() {
    #[async_trait]
    trait Load {
        async fn load(&self, id: u8) -> Result<u8, ParseIntError>;
    }
    struct Cart;
    #[async_trait]
    impl Load for Cart {
        #[on_error(return = Ok(0))]
        async fn load(&self, id: u8) -> Result<u8, ParseIntError> {
            let one: u8 = "1".parse()?;
            Ok(ready(id).await + one)
        }
    }
    let capture = testing::capture();
    assert_eq!(block_on(Cart.load(1)), Ok(2));
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_default_of_an_async_trait_below_other_attributes() {
    #[async_trait]
    trait Load {
        #[allow(clippy::must_use_candidate)]
        #[on_error(return = 0)]
        #[doc = "Loads."]
        async fn load(&self, id: u8) -> u8 {
            ready(id).await + 1
        }
    }
    struct Cart;
    #[async_trait]
    impl Load for Cart {}
    let capture = testing::capture();
    assert_eq!(block_on(Cart.load(1)), 2);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn destructured_arguments() {
    struct Cart {
        id: u8,
        lines: (u8, u8),
    }
    #[on_error(return = 0)]
    async fn total(Cart { id, lines: (a, b) }: Cart, [c, _]: [u8; 2], mut d: u8) -> u8 {
        d += 1;
        id + a + b + c + d
    }
    let capture = testing::capture();
    assert_eq!(block_on(total(Cart { id: 1, lines: (2, 3) }, [4, 0], 5)), 16);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn an_unsafe_function() {
    #[expect(unsafe_code, reason = "an unsafe function is the point")]
    mod danger {
        use canonlog::on_error;
        #[on_error(return = 0)]
        pub(super) unsafe fn id(a: u8) -> u8 {
            a
        }
        pub(super) fn call() -> u8 {
            // SAFETY: it does nothing.
            unsafe { id(3) }
        }
    }
    let capture = testing::capture();
    assert_eq!(danger::call(), 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn an_extern_function() {
    #[on_error(return = 0)]
    extern "C" fn add(a: u8, b: u8) -> u8 {
        a + b
    }
    let capture = testing::capture();
    assert_eq!(add(1, 2), 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_function_made_by_a_macro() {
    macro_rules! make {
        ($name:ident, $result:ty, $body:expr) => {
            #[on_error(return = Ok(0))]
            fn $name() -> $result {
                $body
            }
        };
    }
    make!(three, Result<u8, ParseIntError>, Ok("3".parse::<u8>()?));
    let capture = testing::capture();
    assert_eq!(three(), Ok(3));
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn an_async_closure_in_the_body() {
    #[on_error(return = 0)]
    async fn add(a: u8) -> u8 {
        let later = async |b: u8| a + ready(b).await;
        later(2).await
    }
    let capture = testing::capture();
    assert_eq!(block_on(add(1)), 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_boxed_recursion() {
    #[on_error(return = 0)]
    fn depth(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
        if n == 0 {
            return Box::pin(ready(0));
        }
        Box::pin(async move { depth(n - 1).await + 1 })
    }
    let capture = testing::capture();
    assert_eq!(block_on(depth(3)), 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_boxed_future_by_its_alias() {
    #[on_error(return = Ok(0))]
    fn load<'a>(text: &'a str) -> BoxFuture<'a, Result<u8, ParseIntError>> {
        Box::pin(async move { text.parse() })
    }
    let capture = testing::capture();
    assert_eq!(block_on(load("7")), Ok(7));
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_returned_async_block() {
    #[on_error(return = Ok(0))]
    fn load(id: u8) -> impl Future<Output = Result<u8, ParseIntError>> + Send {
        let text = id.to_string();
        async move {
            let id: u8 = text.parse()?;
            Ok(id + 1)
        }
    }
    let capture = testing::capture();
    assert_eq!(block_on(load(1)), Ok(2));
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_returned_future_of_another_function() {
    async fn inner(id: u8) -> Result<u8, ParseIntError> {
        Ok(id)
    }
    #[on_error(return = Ok(0))]
    fn load(id: u8) -> impl Future<Output = Result<u8, ParseIntError>> {
        if id > 7 {
            return inner(7);
        }
        match id {
            0 => inner(1),
            id => {
                let id = id + 1;
                inner(id)
            }
        }
    }
    let capture = testing::capture();
    assert_eq!(block_on(load(1)), Ok(2));
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn other_attributes_around() {
    /// Adds.
    #[inline]
    #[on_error(return = 0)]
    #[must_use]
    #[cfg(not(any()))]
    fn add(a: u8, b: u8) -> u8 {
        #![allow(clippy::let_and_return)]
        let sum = a + b;
        sum
    }
    let capture = testing::capture();
    assert_eq!(add(1, 2), 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_function_that_never_returns() {
    #[on_error(return = std::process::abort())]
    fn fail(code: u8) -> ! {
        panic!("left with {code}")
    }
    #[on_error(return = std::process::abort())]
    async fn fail_later(code: u8) -> ! {
        ready(()).await;
        panic!("left with {code}")
    }
    let capture = testing::capture();
    let left = std::panic::catch_unwind(|| fail(3)).expect_err("it never returns");
    assert_eq!(left.downcast_ref::<String>().map(String::as_str), Some("left with 3"));
    let left = std::panic::catch_unwind(|| block_on(fail_later(4))).expect_err("it never returns");
    assert_eq!(left.downcast_ref::<String>().map(String::as_str), Some("left with 4"));
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_mutable_reference_out_of_an_argument() {
    #[on_error(return = unreachable!("it does not fail"))]
    fn first<T>(items: &mut Vec<T>) -> &mut T {
        &mut items[0]
    }
    let capture = testing::capture();
    let mut items = vec![1, 2];
    *first(&mut items) = 7;
    assert_eq!(items, [7, 2]);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_result_of_a_mutable_reference() {
    #[on_error(return = Err("none".to_owned()))]
    fn first<T>(items: &mut Vec<T>) -> Result<&mut T, String> {
        let first = items.first_mut().ok_or_else(|| "empty".to_owned())?;
        Ok(first)
    }
    let capture = testing::capture();
    let mut items = vec![1, 2];
    *first(&mut items).expect("an item") = 7;
    assert_eq!(items, [7, 2]);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn names_of_the_prelude_that_mean_something_else() {
    #[allow(dead_code, non_snake_case, non_upper_case_globals, clippy::enum_variant_names)]
    mod shadowed {
        use canonlog::on_error;
        mod std {}
        mod core {}
        mod alloc {}
        struct Result;
        struct Option;
        struct Box;
        fn Ok(a: u8) -> u8 {
            a
        }
        fn Err(a: u8) -> u8 {
            a
        }
        fn Some(a: u8) -> u8 {
            a
        }
        const None: u8 = 0;
        type E = ::std::num::ParseIntError;
        #[on_error(return = ::std::result::Result::Ok(0))]
        pub(super) fn parse(text: &str) -> ::std::result::Result<u8, E> {
            let number: u8 = text.parse()?;
            ::std::result::Result::Ok(Ok(number) + Err(0) + Some(None))
        }
        #[on_error(return = ::std::result::Result::Ok(0))]
        pub(super) async fn parse_later(text: &str) -> ::std::result::Result<u8, E> {
            let number: u8 = text.parse()?;
            ::std::result::Result::Ok(number)
        }
    }
    let capture = testing::capture();
    assert_eq!(shadowed::parse("3"), Ok(3));
    assert_eq!(block_on(shadowed::parse_later("3")), Ok(3));
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_result_by_an_alias() {
    type Fallible<T> = Result<T, ParseIntError>;
    #[on_error(return = Ok(Box::new(|| 0)))]
    async fn parse(text: &str) -> Fallible<Box<dyn Fn() -> u8>> {
        let number = text.parse()?;
        if number == 0 {
            return Ok(Box::new(|| 0));
        }
        Ok(Box::new(move || number))
    }
    let capture = testing::capture();
    assert_eq!(block_on(parse("3")).expect("a number")(), 3);
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn operands_whose_types_are_inferred() {
    #[on_error(return = Ok(0))]
    fn total(text: &str) -> Result<u32, Box<dyn Error>> {
        let one: u32 = text.parse()?;
        let parts = text.split(' ').map(str::parse::<u32>).collect::<Result<Vec<_>, _>>()?;
        let narrow: u8 = one.try_into()?;
        let nested = Some(Ok::<u32, ParseIntError>(1)).transpose()?.unwrap_or(0);
        let inner = || -> Result<u32, ParseIntError> { Ok("1".parse::<u32>()? + 1) };
        let listed = vec!["1".parse::<u32>()?, inner()?];
        Ok(one + parts.iter().sum::<u32>() + u32::from(narrow) + nested + listed.len() as u32)
    }
    let capture = testing::capture();
    assert_eq!(total("3").ok(), Some(12));
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn an_error_that_borrows() {
    #[derive(Debug, PartialEq)]
    struct Wrong<'a>(&'a str);
    impl Display for Wrong<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }
    fn check(text: &str) -> Result<u8, Wrong<'_>> {
        text.parse().map_err(|_| Wrong(text))
    }
    #[on_error(return = Ok(0))]
    async fn load<'a>(text: &'a str) -> Result<u8, Wrong<'a>> {
        let checked = check(text)?;
        Ok(checked)
    }
    let capture = testing::capture();
    assert_eq!(block_on(load("3")), Ok(3));
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn loops_that_continue_and_break() {
    #[on_error(return = Ok(0))]
    fn count(items: &[&str]) -> Result<u32, ParseIntError> {
        let mut sum = 0;
        'all: for item in items {
            if item.is_empty() {
                continue;
            }
            loop {
                sum += item.parse::<u32>()?;
                break 'all;
            }
        }
        loop {
            if sum > 0 {
                break Ok(sum);
            }
            return Ok(7);
        }
    }
    let capture = testing::capture();
    assert_eq!(count(&["", "3", "x"]), Ok(3));
    assert!(capture.events().is_empty(), "nothing failed");
}

#[test]
fn a_future_that_stays_send() {
    #[on_error(return = Ok(0))]
    async fn load(id: u8) -> Result<u8, ParseIntError> {
        let text = id.to_string();
        let one: u8 = text.parse()?;
        ready(()).await;
        Ok(one + text.len() as u8)
    }
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let capture = testing::capture();
    assert_eq!(block_on(is_send(load(3))), Ok(4));
    assert!(capture.events().is_empty(), "nothing failed");
}
