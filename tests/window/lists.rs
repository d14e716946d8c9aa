//! Endless lists by role, key and pointer.

use crate::support::window;
use egui::accesskit::Role;
use egui::{Key, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use sockeye::ui::row_list::RowList;
use sockeye::ui::row_scroll::{Place, RowScroll};
use std::cell::RefCell;
use std::rc::Rc;

const TRILLION: u64 = 1_000_000_000_000;

fn list_of(total: u64, scroll: &Rc<RefCell<RowScroll>>) -> Harness<'static> {
    let scroll = Rc::clone(scroll);
    window(vec2(400.0, 210.0), move |ui| {
        let mut scroll = scroll.borrow_mut();
        RowList::new("Frames", total).show(ui, &mut scroll, |_, slot| {
            slot.name(|| format!("row {}", slot.row));
        });
    })
}

#[test]
fn only_rows_in_view_exist_and_they_are_options_of_a_named_list() {
    let scroll = Rc::new(RefCell::new(RowScroll::new()));
    let harness = list_of(TRILLION, &scroll);
    let list = harness.get_by_role_and_label(Role::ListBox, "Frames");
    let rows = list.children_recursive().filter(|row| row.accesskit_node().role() == Role::ListBoxOption);
    assert!((5..=20).contains(&rows.count()));
    harness.get_by_role_and_label(Role::ListBoxOption, "row 0");
}

#[test]
fn a_jump_lands_on_the_very_row_of_a_trillion() {
    let scroll = Rc::new(RefCell::new(RowScroll::new()));
    let mut harness = list_of(TRILLION, &scroll);
    for row in [TRILLION / 3, TRILLION - 20, 419_999, TRILLION - 1] {
        scroll.borrow_mut().scroll_to(row, Place::InSight);
        harness.run();
        harness.get_by_label(&format!("row {row}"));
    }
    assert!(harness.query_by_label(&format!("row {TRILLION}")).is_none());
}

#[test]
fn a_click_selects_and_then_the_keys_move() {
    let scroll = Rc::new(RefCell::new(RowScroll::new()));
    let mut harness = list_of(TRILLION, &scroll);
    harness.get_by_label("row 2").click();
    harness.run();
    assert_eq!(scroll.borrow().selected(), Some(2));
    assert!(harness.get_by_label("Frames").is_focused() || harness.get_by_label("row 2").is_focused());
    harness.key_press(Key::ArrowDown);
    harness.key_press(Key::ArrowDown);
    harness.run();
    assert_eq!(scroll.borrow().selected(), Some(4));
    harness.key_press(Key::End);
    harness.run();
    assert_eq!(scroll.borrow().selected(), Some(TRILLION - 1));
    harness.get_by_label(&format!("row {}", TRILLION - 1));
    harness.key_press(Key::PageUp);
    harness.key_press(Key::ArrowUp);
    harness.run();
    let selected = scroll.borrow().selected().expect("a row");
    assert!((TRILLION - 20..TRILLION - 5).contains(&selected));
    harness.get_by_label(&format!("row {selected}"));
    harness.key_press(Key::Home);
    harness.run();
    harness.get_by_label("row 0");
}

#[test]
fn the_tab_key_stops_once_at_a_list() {
    let scroll = Rc::new(RefCell::new(RowScroll::new()));
    let inner = Rc::clone(&scroll);
    let mut harness = window(vec2(400.0, 210.0), move |ui| {
        egui::Panel::bottom("foot").show(ui, |ui| ui.button("After"));
        let mut scroll = inner.borrow_mut();
        RowList::new("Frames", 50).show(ui, &mut scroll, |_, slot| {
            slot.name(|| format!("row {}", slot.row));
        });
    });
    harness.get_by_label("After").focus();
    harness.run();
    harness.key_press(Key::Tab);
    harness.run();
    harness.key_press(Key::Tab);
    harness.run();
    assert!(harness.get_by_label("After").is_focused());
}

#[test]
fn the_wheel_and_the_scroll_bar_move_the_view() {
    let scroll = Rc::new(RefCell::new(RowScroll::new()));
    let mut harness = list_of(TRILLION, &scroll);
    harness.hover_at(pos2(100.0, 100.0));
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, -50.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: egui::Modifiers::NONE,
    });
    harness.run_steps(8);
    let (row, offset) = scroll.borrow().position();
    assert_eq!((row, offset.round() as i64), (2, 10));

    let bar = harness.get_by_role_and_label(Role::ScrollBar, "Frames, scroll bar").rect();
    harness.drag_at(pos2(bar.center().x, bar.top() + 4.0));
    harness.drop_at(pos2(bar.center().x, bar.bottom() + 40.0));
    harness.run();
    assert_eq!(scroll.borrow().visible().end, TRILLION);
    harness.get_by_label(&format!("row {}", TRILLION - 1));
}

#[test]
fn a_list_that_was_scrolled_back_says_what_is_new_and_goes_there() {
    let scroll = Rc::new(RefCell::new(RowScroll::following_end()));
    let total = Rc::new(RefCell::new(100));
    let (inner, rows) = (Rc::clone(&scroll), Rc::clone(&total));
    let mut harness = window(vec2(400.0, 210.0), move |ui| {
        let mut scroll = inner.borrow_mut();
        RowList::new("Frames", *rows.borrow()).show(ui, &mut scroll, |_, slot| {
            slot.name(|| format!("row {}", slot.row));
        });
    });
    harness.get_by_label("row 99");
    harness.get_by_label("row 95").click();
    harness.run();
    *total.borrow_mut() = 1304;
    harness.run();
    harness.get_by_label("row 95");
    harness.get_by_role_and_label(Role::Button, "↓ 1\u{202F}204 new").click();
    harness.run();
    harness.get_by_label("row 1303");
    assert!(scroll.borrow().is_following());
    *total.borrow_mut() = 1305;
    harness.run();
    harness.get_by_label("row 1304");
    assert!(harness.query_by_role(Role::Button).is_none());
}
