//! What may stand around a `?`, a `return` and a tail. Written once, compiled in two editions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::future::{Future, ready};
use std::io;
use std::marker::PhantomData;
use std::num::{ParseIntError, TryFromIntError};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Mutex;
use std::task::Poll;

use async_trait::async_trait;
use canonlog::{instrument_request, operation};

type Alias<T> = Result<T, Fault>;
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[derive(Debug, PartialEq)]
pub(crate) struct Fault(String);

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Fault {}

impl From<ParseIntError> for Fault {
    fn from(error: ParseIntError) -> Self {
        Fault(error.to_string())
    }
}

impl From<TryFromIntError> for Fault {
    fn from(error: TryFromIntError) -> Self {
        Fault(error.to_string())
    }
}

impl From<&str> for Fault {
    fn from(text: &str) -> Self {
        Fault(text.to_owned())
    }
}

struct Word(String);

impl FromStr for Word {
    type Err = String;

    #[operation]
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err("empty".to_owned());
        }
        Ok(Word(text.into()))
    }
}

// -- types that are known only later ----------------------------------------------------------------------------------

#[operation]
fn by_annotation(text: &str) -> Alias<u32> {
    let number: u32 = text.parse()?;
    Ok(number)
}

#[operation]
fn by_use(text: &str) -> Result<u32, ParseIntError> {
    let number = text.parse()?;
    Ok(u32::pow(number, 2))
}

#[operation]
fn by_collection(text: &str) -> Alias<Vec<i64>> {
    let all = text.split(',').map(str::parse).collect::<Result<Vec<_>, _>>()?;
    Ok(all)
}

#[operation]
fn by_conversion(number: i64) -> Alias<u8> {
    Ok(number.try_into()?)
}

#[operation]
fn by_nothing(fails: bool) -> Alias<u8> {
    if fails {
        Err("of no type")?;
    }
    Ok(1)
}

#[operation]
fn by_the_end() -> Alias<u8> {
    Err("at the end")?
}

#[operation]
fn by_associated_type(text: &str) -> Result<usize, String> {
    let word: Word = text.parse()?;
    Ok(word.0.len())
}

#[operation]
fn by_parameter<T: FromStr>(text: &str) -> Result<Vec<T>, T::Err> {
    let mut all = Vec::new();
    for part in text.split(' ') {
        all.push(part.parse()?);
    }
    Ok(all)
}

#[operation]
fn by_bound<T>(text: &str) -> Result<T, Box<dyn Error + Send + Sync>>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    Ok(text.parse::<T>()?)
}

#[operation]
fn by_closure_argument(items: &[&str]) -> Alias<u32> {
    let add = |sum: u32, item: &&str| -> Result<u32, ParseIntError> { Ok(sum + item.parse::<u32>()?) };
    let sum = items.iter().try_fold(0, add)?;
    Ok(sum)
}

#[operation]
fn by_const<const N: usize>(items: &[u8]) -> Result<[u8; N], std::array::TryFromSliceError> {
    let array: [u8; N] = items.try_into()?;
    Ok(array)
}

#[operation]
fn by_sum(text: &str) -> Result<u32, ParseIntError> {
    text.split('+').map(|part| part.parse::<u32>()).sum()
}

// -- other operands ---------------------------------------------------------------------------------------------------

#[operation]
fn twice(text: Result<Result<u8, Fault>, ParseIntError>) -> Alias<u8> {
    Ok(text??)
}

#[operation]
fn option(items: &[u8]) -> Option<u8> {
    let first = items.first()?;
    let next = items.get(usize::from(*first))?.checked_add(1)?;
    Some(next)
}

#[operation]
fn option_in_closures(items: &[Option<u8>]) -> Option<Vec<u8>> {
    items.iter().map(|item| Some((*item)? + 1)).collect()
}

#[operation]
fn flow(items: &[u8]) -> ControlFlow<u8> {
    for item in items {
        check(*item)?;
    }
    ControlFlow::Continue(())
}

#[operation]
fn check(item: u8) -> ControlFlow<u8> {
    if item == 7 {
        return ControlFlow::Break(item);
    }
    ControlFlow::Continue(())
}

#[operation]
fn poll(ready: Poll<Result<u8, ParseIntError>>) -> Poll<Alias<u8>> {
    let state: Poll<u8> = ready?;
    state.map(Ok)
}

#[operation]
fn poll_next(ready: Poll<Option<Result<u8, ParseIntError>>>) -> Poll<Option<Alias<u8>>> {
    let state: Poll<Option<u8>> = ready?;
    state.map(|item| item.map(Ok))
}

#[operation]
fn infallible(number: u8) -> Result<u16, Infallible> {
    let number: u16 = Ok::<u16, Infallible>(u16::from(number))?;
    Ok(number)
}

// -- places, borrows and temporaries ----------------------------------------------------------------------------------

struct Holder {
    copied: Result<u8, &'static str>,
    kept: Option<Result<String, Fault>>,
    map: HashMap<String, Vec<u8>>,
    shared: Mutex<Vec<u8>>,
}

#[repr(C, packed)]
struct Packed {
    first: u8,
    result: Result<u32, u32>,
}

impl Packed {
    #[operation]
    fn take(&self) -> Result<u32, u32> {
        let number = self.result?;
        Ok(number + u32::from(self.first))
    }
}

impl Holder {
    #[operation]
    fn field(&self) -> Alias<u8> {
        Ok(self.copied? + 1)
    }

    #[operation]
    fn through_reference(result: &Result<u8, &'static str>) -> Alias<u8> {
        let number = (*result)?;
        Ok(number)
    }

    #[operation]
    fn taken(&mut self) -> Alias<String> {
        let text = self.kept.take().unwrap_or(Ok(String::new()))?;
        Ok(text)
    }

    #[operation]
    fn borrowed(&self) -> Result<&str, &Fault> {
        match &self.kept {
            Some(kept) => Ok(kept.as_ref()?.as_str()),
            None => Ok(""),
        }
    }

    #[operation]
    fn mutably(&mut self, key: &str) -> Result<&mut u8, String> {
        let list = self.map.get_mut(key).ok_or_else(|| format!("no {key}"))?;
        list.push(1);
        list.last_mut().ok_or("empty".to_owned())
    }

    #[operation]
    fn under_a_lock(&self) -> Alias<u8> {
        let last = *self.shared.lock().map_err(|_| "poisoned")?.last().ok_or("empty")?;
        Ok(last)
    }

    #[operation]
    fn in_place(&mut self) -> Result<&mut Self, Fault> {
        self.map.entry("new".to_owned()).or_default().push("7".parse()?);
        Ok(self)
    }

    #[operation]
    fn boxed(self: Box<Self>) -> Alias<u8> {
        self.field()
    }

    #[operation]
    fn counted(self: Rc<Self>) -> Alias<u8> {
        let number = self.copied.map_err(Fault::from)?;
        Ok(number)
    }

    #[operation]
    fn chained(&mut self) -> Alias<usize> {
        let length = self.in_place()?.in_place()?.mutably("new").map(|_| 0).map_err(|text| Fault(text))?;
        Ok(length)
    }
}

#[operation]
fn longest<'a, 'b: 'a>(first: &'a str, second: &'b str, max: &str) -> Result<&'a str, Box<dyn Error + 'b>> {
    let max: usize = max.parse()?;
    if first.len() > max {
        return Ok(second);
    }
    Ok(first)
}

#[operation]
fn fault_of<'a>(text: &'a str) -> Result<u8, Box<dyn Error + 'a>> {
    struct Of<'t>(&'t str);
    impl Debug for Of<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }
    impl Display for Of<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }
    impl Error for Of<'_> {}
    Err(Of(text))?
}

#[operation]
fn temporaries(cell: &RefCell<Vec<Result<u8, Fault>>>) -> Alias<usize> {
    let first = cell.borrow_mut().pop().ok_or("empty")??;
    let length = cell.borrow().len();
    Ok(length + usize::from(first))
}

#[operation]
fn drops_in_order(order: &RefCell<Vec<u8>>) -> Result<u8, ()> {
    struct Noted<'a>(&'a RefCell<Vec<u8>>, u8);
    impl Drop for Noted<'_> {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
        }
    }
    impl Noted<'_> {
        fn get(&self) -> Result<u8, ()> {
            Ok(self.1)
        }
    }
    let _first = Noted(order, 1);
    let second = Noted(order, 2).get()?;
    let _third = Noted(order, 3);
    Noted(order, second + 2).get()
}

// -- ways out ---------------------------------------------------------------------------------------------------------

#[operation]
fn returns(how: u8) -> Alias<u8> {
    if how == 0 {
        return Ok(0);
    } else if how == 1 {
        return "1".parse().map_err(Fault::from);
    }
    let Some(rest) = how.checked_sub(2) else { return Err("less".into()) };
    for at in 0..rest {
        while at > 2 {
            if at == 3 {
                return by_conversion(at.into());
            }
            break;
        }
    }
    match rest {
        0 => Ok(9),
        1 => return Err(Fault("one".into())),
        2 => by_conversion(300),
        _ => {
            let number = { "8".parse::<u8>()? };
            Ok(number)
        }
    }
}

#[operation]
fn breaks(text: &str) -> Alias<u8> {
    let found = 'found: {
        for part in text.split(' ') {
            if part == "-" {
                continue;
            }
            if let Ok(number) = part.parse::<u8>() {
                break 'found number;
            }
        }
        text.parse()?
    };
    let counted = loop {
        break found.checked_add(1).ok_or("too many")?;
    };
    Ok(counted)
}

#[operation]
fn ends_in_a_loop(text: &str) -> Alias<u8> {
    let mut tries = 0;
    loop {
        tries += 1;
        match text.parse::<u8>() {
            Ok(number) => break Ok(number),
            Err(error) if tries > 2 => break Err(error.into()),
            Err(_) => {}
        }
    }
}

#[operation]
fn ends_unsafely(text: &str) -> Alias<u8> {
    // SAFETY: nothing in it is unsafe.
    #[allow(unsafe_code, unused_unsafe)]
    unsafe {
        if text.is_empty() { Err(Fault::from("")) } else { Ok(text.parse()?) }
    }
}

#[operation]
fn never_ends(text: &str) -> ! {
    let all = || -> Result<u8, ParseIntError> { text.parse::<u8>()?.to_string().parse() };
    panic!("{:?}", all())
}

#[operation]
fn ends_in_nothing(text: &str, out: &mut Vec<u8>) {
    let mut add = || -> Alias<()> {
        out.push(text.parse()?);
        Ok(())
    };
    add().unwrap_or_default();
    if out.is_empty() {
        return;
    }
    out.push(1);
}

#[operation]
fn coerces(number: u8) -> Result<Box<dyn Fn(u8) -> u8>, Fault> {
    let number: u8 = number.checked_add(1).ok_or("too many")?;
    if number == 1 {
        return Ok(Box::new(|other| other));
    }
    Ok(Box::new(move |other| number + other))
}

#[operation]
fn coerces_at_the_end(fails: bool) -> Result<Box<dyn Display>, Box<dyn Error>> {
    if fails { Err("no".into()) } else { Ok(Box::new(7)) }
}

#[operation]
fn slice_of(array: &[u8; 4], fails: bool) -> Result<&[u8], Fault> {
    match fails {
        true => Err("no")?,
        false => Ok(array),
    }
}

#[operation]
fn iterates(text: &str) -> Result<impl Iterator<Item = u8> + use<>, ParseIntError> {
    let number: u8 = text.parse()?;
    Ok(0..number)
}

#[operation]
fn displays(text: &str) -> impl Display + use<> {
    text.parse::<u8>().map_or_else(|_| "none".to_owned(), |number| number.to_string())
}

#[operation]
fn keeps_what_it_is_given<T>(value: T) -> T {
    value
}

#[operation]
fn io(path: &str) -> io::Result<u64> {
    let meta = std::fs::metadata(path)?;
    Ok(meta.len())
}

// -- names and items --------------------------------------------------------------------------------------------------

#[operation]
fn names_of_its_own(text: &str) -> Alias<u8> {
    fn exit(value: u8) -> Alias<u8> {
        Ok(value)
    }
    let (mark, value, guard, line, fun) = (1_u8, 2_u8, 3_u8, 4_u8, 5_u8);
    let tap = text.parse::<u8>()?;
    let r#type = exit(mark + value + guard + line + fun + tap)?;
    Ok(r#type)
}

#[operation]
fn items_of_its_own(text: &str) -> Alias<u8> {
    const ONE: u8 = 1;
    static TWO: u8 = 2;
    struct Inner;
    impl Inner {
        fn parse(text: &str) -> Result<u8, ParseIntError> {
            let number = text.parse()?;
            Ok(number)
        }
    }
    let array = [0_u8; const { ONE as usize }];
    Ok(Inner::parse(text)? + ONE + TWO + array[0])
}

#[operation]
#[allow(clippy::let_and_return)]
fn attributes_of_its_own(#[allow(unused_variables)] text: &str) -> Alias<u8> {
    #[cfg(any())]
    let number: u8 = "not compiled".parse()?;
    #[cfg(not(any()))]
    let number: u8 = text.parse()?;
    #[allow(unused_assignments)]
    let mut other = number;
    other += 1;
    #[allow(clippy::needless_return)]
    return Ok(other);
}

#[operation]
fn patterns((first, [second, ..]): (u8, [u8; 2]), &third: &u8, _: ()) -> Alias<u8> {
    let sum = first.checked_add(second).and_then(|sum| sum.checked_add(third)).ok_or("too many")?;
    Ok(sum)
}

#[operation]
fn in_every_expression(text: &str) -> Alias<Vec<String>> {
    struct Pair {
        one: u8,
        two: u8,
    }
    let parse = |text: &str| text.parse::<u8>();
    let pair = Pair { one: parse(text)?, two: parse(text)? + parse("1")? };
    let array = [parse(text)?, parse(text)?];
    let (first, _) = (parse(text)?, ());
    if parse(text)? > 0 && array[usize::from(parse("1")?)] > 0 || !(parse("0")? == 1) {
        let _range = parse("0")?..parse(text)?;
    }
    while parse("0")? > 0 {}
    for _ in 0..parse("1")? {}
    let reference = &parse(text)?;
    let cast = parse(text)? as u16;
    let in_match = match parse(text)? {
        0 => parse("1")?,
        number if number == parse("7")? => number,
        _ => -i8::from_str("1")? as u8,
    };
    let closure = move |by: u8| by + first;
    let called = closure(parse(text)?);
    Ok(vec![
        format!("{}{}", pair.one, pair.two),
        format!("{reference}{cast}{in_match}{called}", in_match = in_match + parse(text)?),
        vec![parse(text)?; 2].len().to_string(),
    ])
}

#[operation]
fn in_unknown_macros(text: &str) -> Alias<u8> {
    macro_rules! tried {
        ($value:expr) => {
            match $value {
                Ok(value) => value,
                Err(error) => return Err(error.into()),
            }
        };
    }
    macro_rules! wrapped {
        ($value:expr) => {
            $value?
        };
    }
    let first: u8 = tried!(text.parse::<u8>());
    let second = wrapped!(text.parse::<u8>());
    Ok(first + second)
}

macro_rules! made {
    ($name:ident, $result:ty, $value:expr) => {
        #[operation]
        fn $name(text: &str) -> Result<$result, Fault> {
            let _ = text;
            let value: $result = $value?;
            Ok(value)
        }
    };
}

made!(made_by_a_macro, u8, "7".parse::<u8>());

// -- traits -----------------------------------------------------------------------------------------------------------

trait Load {
    type Error: Debug;

    fn load(&self, text: &str) -> Result<u8, Self::Error>;

    #[operation]
    fn load_twice(&self, text: &str) -> Result<u8, Self::Error> {
        let first = self.load(text)?;
        Ok(first + self.load(text)?)
    }
}

struct Loader<T>(PhantomData<T>);

impl<T: Default + Into<u8>> Load for Loader<T> {
    type Error = Fault;

    #[operation]
    fn load(&self, text: &str) -> Result<u8, Self::Error> {
        let number: u8 = text.parse()?;
        Ok(number + T::default().into() + 6)
    }
}

#[operation]
fn through_an_object(load: &dyn Load<Error = Fault>) -> Alias<u8>
where
    Loader<u8>: Sized,
{
    load.load("1")
}

#[operation]
fn higher_ranked<F>(parse: F) -> Alias<u8>
where
    F: for<'a> Fn(&'a str) -> Result<&'a str, Fault>,
{
    Ok(parse("7")?.parse()?)
}

#[operation]
fn by_pointer(parse: fn(&str) -> Alias<u32>, text: impl AsRef<str>) -> Alias<u32> {
    parse(text.as_ref())
}

#[operation]
fn itself(level: u8) -> Alias<u8> {
    if level == 0 {
        return Ok("1".parse()?);
    }
    Ok(itself(level - 1)? + 1)
}

// -- async ------------------------------------------------------------------------------------------------------------

#[instrument_request]
async fn awaits(text: &str) -> Alias<u8> {
    let first: u8 = ready(text).await.parse()?;
    let second = waits(ready(first).await.checked_add(1).ok_or("too many")?).await?;
    match second {
        0 => waits(1).await,
        _ => Ok(second),
    }
}

#[operation]
async fn waits(number: u8) -> Alias<u8> {
    tokio::task::yield_now().await;
    if number == 0 {
        return waits_boxed(9).await;
    }
    Ok(number)
}

#[operation]
fn waits_boxed<'a>(number: u8) -> Boxed<'a, Alias<u8>> {
    Box::pin(async move {
        let number = ready(number.checked_sub(1).ok_or("less")).await?;
        Ok(number)
    })
}

#[operation]
fn waits_opaque(text: &str) -> impl Future<Output = Alias<u8>> + Send + use<'_> {
    async move {
        let number: u8 = text.parse()?;
        Ok(number)
    }
}

#[operation]
async fn blocks(text: &str) -> Alias<u8> {
    let block = async { Ok::<u8, ParseIntError>(text.parse::<u8>()?) };
    let moved = async move { text.parse::<u8>().map_err(Fault::from) };
    let closure = async |by: u8| -> Alias<u8> { Ok(text.parse::<u8>()? + by) };
    Ok(block.await? + moved.await? + closure(1).await?)
}

#[operation]
async fn joins(text: &str) -> Alias<(u8, u8)> {
    futures_util::try_join!(awaits(text), async { Ok(text.parse::<u8>()?) })
}

#[operation]
async fn selects(text: &str) -> Alias<u8> {
    tokio::select! {
        number = awaits(text) => Ok(number?),
        _ = std::future::pending::<()>() => Err("never".into()),
    }
}

#[operation]
async fn holds_a_lock(shared: &tokio::sync::Mutex<Vec<u8>>) -> Alias<u8> {
    let last = *shared.lock().await.last().ok_or("empty")?;
    Ok(waits(last).await? + shared.lock().await.pop().ok_or("empty")?)
}

#[operation]
async fn not_send(text: &str) -> Alias<u8> {
    let shared = Rc::new(text.parse::<u8>()?);
    ready(()).await;
    Ok(*shared)
}

#[async_trait]
trait LoadLater {
    async fn load_later(&self, text: &str) -> Alias<u8>;
}

#[async_trait]
impl LoadLater for Loader<u8> {
    #[operation]
    async fn load_later(&self, text: &str) -> Alias<u8> {
        let number = waits(self.load(text)?).await?;
        Ok(number)
    }
}

trait LoadSoon {
    fn load_soon(&self, text: &str) -> impl Future<Output = Alias<u8>> + Send;
}

impl LoadSoon for Loader<u8> {
    #[operation]
    async fn load_soon(&self, text: &str) -> Alias<u8> {
        waits(text.parse()?).await
    }
}

#[instrument_request]
#[operation]
async fn twice_annotated(text: &str) -> Alias<u8> {
    let number: u8 = text.parse()?;
    waits(number).await
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn every_function_does_what_it_does_without_its_attribute() {
    assert_eq!((by_annotation("7"), by_use("3")), (Ok(7), Ok(9)));
    assert_eq!(by_collection("1,2"), Ok(vec![1, 2]));
    assert!(by_collection("1,x").is_err() && by_conversion(300).is_err());
    assert_eq!((by_nothing(false), by_nothing(true)), (Ok(1), Err("of no type".into())));
    assert_eq!(by_the_end(), Err("at the end".into()));
    assert_eq!((by_associated_type("ab"), by_associated_type("")), (Ok(2), Err("empty".to_owned())));
    assert_eq!(by_parameter("1 2"), Ok(vec![1, 2]));
    assert_eq!(by_bound::<u8>("7").ok(), Some(7));
    assert_eq!(by_closure_argument(&["1", "2"]), Ok(3));
    assert_eq!((by_const::<2>(&[1, 2]).ok(), by_const::<2>(&[1]).ok()), (Some([1, 2]), None));
    assert_eq!(by_sum("1+2"), Ok(3));
    assert_eq!((twice(Ok(Ok(1))), twice(Ok(Err("no".into())))), (Ok(1), Err("no".into())));
    assert_eq!((option(&[1, 2]), option(&[9]), option_in_closures(&[Some(1), None])), (Some(3), None, None));
    assert_eq!((flow(&[1]), flow(&[1, 7])), (ControlFlow::Continue(()), ControlFlow::Break(7)));
    assert_eq!((poll(Poll::Ready(Ok(1))), poll(Poll::Pending)), (Poll::Ready(Ok(1)), Poll::Pending));
    assert_eq!(poll_next(Poll::Ready(Some(Ok(1)))), Poll::Ready(Some(Ok(1))));
    assert_eq!(infallible(1), Ok(1));

    let mut holder =
        Holder { copied: Ok(1), kept: Some(Err("kept".into())), map: HashMap::new(), shared: Mutex::new(vec![7]) };
    assert_eq!((holder.field(), Holder::through_reference(&Err("no"))), (Ok(2), Err("no".into())));
    assert_eq!(holder.borrowed(), Err(&"kept".into()));
    assert_eq!((holder.taken(), holder.taken()), (Err("kept".into()), Ok(String::new())));
    assert_eq!(holder.mutably("x"), Err("no x".to_owned()));
    assert_eq!(holder.chained(), Ok(0));
    assert_eq!(holder.under_a_lock(), Ok(7));
    assert_eq!((Box::new(holder).boxed(), Packed { first: 1, result: Err(2) }.take()), (Ok(2), Err(2)));
    let holder = Holder { copied: Err("no"), kept: None, map: HashMap::new(), shared: Mutex::default() };
    assert_eq!(Rc::new(holder).counted(), Err("no".into()));
    assert_eq!((longest("abc", "b", "2").ok(), longest("a", "b", "x").ok()), (Some("b"), None));
    assert_eq!(fault_of("text").map_err(|error| error.to_string()), Err("text".to_owned()));
    assert_eq!(temporaries(&RefCell::new(vec![Ok(1), Ok(2)])), Ok(3));
    let order = RefCell::new(Vec::new());
    assert_eq!(drops_in_order(&order), Ok(4));
    assert_eq!(order.borrow().first(), Some(&2));
    assert_eq!(order.borrow().len(), 4);
}

#[test]
fn every_way_out_leads_where_it_did() {
    let out: Vec<Alias<u8>> = (0..7).map(returns).collect();
    assert_eq!(out[..3], [Ok(0), Ok(1), Ok(9)]);
    assert!(out[3].is_err() && out[4].is_err() && out[5] == Ok(8) && out[6] == Ok(3) || out[6] == Ok(8));
    assert_eq!((breaks("- 7"), breaks("255")), (Ok(8), Err("too many".into())));
    assert!(ends_in_a_loop("x").is_err() && ends_unsafely("").is_err());
    assert!(std::panic::catch_unwind(|| never_ends("x")).is_err());
    let mut list = Vec::new();
    ends_in_nothing("7", &mut list);
    assert_eq!(list, [7, 1]);
    assert_eq!(coerces(1).map(|add| add(2)), Ok(4));
    assert_eq!(coerces_at_the_end(false).map(|value| value.to_string()).ok().as_deref(), Some("7"));
    assert_eq!((slice_of(&[1; 4], false), slice_of(&[1; 4], true)), (Ok(&[1; 4][..]), Err("no".into())));
    assert_eq!(iterates("3").map(Iterator::count), Ok(3));
    assert_eq!((displays("x").to_string(), keeps_what_it_is_given(1)), ("none".to_owned(), 1));
    assert!(io("/no/such/file").is_err());
    assert_eq!((names_of_its_own("1"), items_of_its_own("1"), attributes_of_its_own("1")), (Ok(16), Ok(4), Ok(2)));
    assert_eq!(patterns((1, [2, 3]), &4, ()), Ok(7));
    assert_eq!(in_every_expression("7").map(|all| all.len()), Ok(3));
    assert!(in_every_expression("x").is_err());
    assert_eq!((in_unknown_macros("1"), made_by_a_macro("")), (Ok(2), Ok(7)));
    let loader = Loader(PhantomData::<u8>);
    assert_eq!((loader.load_twice("1"), through_an_object(&loader)), (Ok(14), Ok(7)));
    assert_eq!((higher_ranked(|text| Ok(text)), by_pointer(by_annotation, "7"), itself(3)), (Ok(7), Ok(7), Ok(4)));
}

#[tokio::test]
async fn every_future_gives_what_it_gave() {
    assert_eq!((is_send(awaits("7")).await, awaits("x").await.is_err()), (Ok(8), true));
    assert_eq!((is_send(waits(0)).await, waits_opaque("7").await), (Ok(8), Ok(7)));
    assert_eq!((is_send(blocks("1")).await, is_send(joins("1")).await), (Ok(4), Ok((2, 1))));
    assert_eq!(selects("1").await, Ok(2));
    assert_eq!(is_send(holds_a_lock(&tokio::sync::Mutex::new(vec![1, 2]))).await, Ok(4));
    assert_eq!(not_send("7").await, Ok(7));
    let loader = Loader(PhantomData::<u8>);
    assert_eq!((loader.load_later("1").await, loader.load_soon("1").await), (Ok(7), Ok(1)));
    assert_eq!(is_send(twice_annotated("1")).await, Ok(1));
}
