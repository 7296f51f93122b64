//! Errors of `ensure!` and `bail!`, whatever ran before they made one.

use canonlog::{instrument_request, operation};
use tokio::sync::oneshot;

use super::*;

#[operation]
async fn load(number: u8) -> anyhow::Result<u8> {
    tokio::task::yield_now().await;
    anyhow::ensure!(number < 100, "no such number"); // @loaded
    Ok(number)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

#[test]
fn an_ensure_whose_operand_has_one_that_holds_is_where_its_error_arises() {
    #[operation]
    async fn check(number: u8) -> anyhow::Result<()> {
        anyhow::ensure!(load(number).await? > 3, "too few"); // @outer_ensure
        anyhow::ensure!(load(number).await? < 7); // @without_a_message
        Ok(())
    }
    #[instrument_request]
    async fn checkout(before: &str, number: u8) -> anyhow::Result<()> {
        // An earlier error, dealt with, is not the cause.
        parse_any(before).unwrap_or(0);
        check(number).await?; // @outer_ensured
        Ok(())
    }
    let scope = "an_ensure_whose_operand_has_one_that_holds_is_where_its_error_arises";
    let (check, checkout_at) = (format!("{scope}::check"), format!("{scope}::checkout"));
    for before in ["7", "x"] {
        for (number, mark) in [(1, "outer_ensure"), (9, "without_a_message")] {
            let told = Told::of(|| run(checkout(before, number)));
            told.came(&[at(mark, &check), at("outer_ensured", &checkout_at)]);
            assert_eq!(told.says("exc_type"), "anyhow::Error");
        }
    }
    // It leaves by the operand's.
    Told::of(|| run(checkout("7", 100))).came(&[
        at("loaded", "load"),
        at("outer_ensure", &check),
        at("outer_ensured", &checkout_at),
    ]);
    assert_eq!(Told::of(|| run(checkout("7", 5))).says("exc_cause_loc"), "");
}

#[test]
fn an_error_that_an_operand_has_dealt_with_is_not_the_cause() {
    #[operation]
    fn check(bails: bool) -> Result<u8, anyhow::Error> {
        anyhow::ensure!(bails || parse("x").unwrap_or(0) > 3, "too few"); // @dealt_with
        anyhow::bail!("not {}", parse("x").unwrap_or(0)); // @dealt_with_by_bail
    }
    #[instrument_request]
    fn checkout(bails: bool) -> anyhow::Result<u8> {
        let number = check(bails)?; // @dealt_with_ensured
        Ok(number)
    }
    let scope = "an_error_that_an_operand_has_dealt_with_is_not_the_cause";
    for (bails, mark) in [(false, "dealt_with"), (true, "dealt_with_by_bail")] {
        let told = Told::of(|| checkout(bails));
        told.came(&[at(mark, &format!("{scope}::check")), at("dealt_with_ensured", &format!("{scope}::checkout"))]);
    }
}

#[test]
fn what_runs_while_an_operand_waits_is_not_the_cause_nor_is_an_operand_that_waits() {
    #[operation]
    async fn check(number: oneshot::Receiver<u8>) -> anyhow::Result<u8> {
        anyhow::ensure!(number.await? > 3, "too few"); // @waits
        Ok(4)
    }
    #[operation]
    async fn send(number: oneshot::Sender<u8>, value: u8) -> Result<u8, ShopError> {
        let failed = parse("x");
        number.send(value).ok();
        failed
    }
    #[instrument_request]
    async fn checkout(value: u8) -> anyhow::Result<u8> {
        let (sender, receiver) = oneshot::channel();
        let (checked, sent) = tokio::join!(check(receiver), send(sender, value));
        sent.or_else(|_| parse("7"))?;
        let number = checked?; // @waited
        Ok(number)
    }
    #[instrument_request]
    async fn checkout_while_it_waits() -> anyhow::Result<u8> {
        let (sender, receiver) = oneshot::channel();
        let (checked, sent) = tokio::join!(check(receiver), async {
            let sent = parse_any("x");
            if sent.is_ok() {
                sender.send(1).ok();
            } else {
                sender.send(9).ok();
            }
            sent
        });
        let number = sent?; // @sent
        Ok(number + checked?)
    }
    let scope = "what_runs_while_an_operand_waits_is_not_the_cause_nor_is_an_operand_that_waits";
    let told = Told::of(|| run(checkout(1)));
    assert_eq!(told.says("exc_cause_loc"), at("waits", &format!("{scope}::check")));
    let told = Told::of(|| run(checkout_while_it_waits()));
    told.came(&[at("parse_any", "parse_any"), at("sent", &format!("{scope}::checkout_while_it_waits"))]);
}
