"""Sentences near enough to what they cite to be taken for it, false and true ones."""

import pytest

from citewell.engine.citing.source import Source
from citewell.engine.citing.verdicts import Statement, judge
from passages import passage


def verdict(text, source, *, question="", language="en"):
    sources = [Source(passage(source, language=language))]
    return judge(Statement(text, sources, question, language))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Deposits are not refunded except for medical reasons.", "Deposits are refunded."),
        ("Flights are not refundable, except in case of illness.", "Flights are refundable."),
        ("Passwords must not be shared with anyone except the IT team.",
         "Passwords may be shared with anyone."),
        ("Passwords must not be shared with anyone except the IT team.",
         "Passwords can be shared."),
        ("All items can be returned except gift cards.", "Items cannot be returned."),
        ("Do not enter the lab without safety glasses.", "Enter the lab without safety glasses."),
        ("Orders cannot be cancelled without approval from the manager.",
         "Orders can be cancelled without approval from the manager."),
        ("No employee may share passwords without permission.",
         "Employees may share passwords without permission."),
        ("Orders without a receipt cannot be refunded.", "Orders can be refunded."),
        ("Visitors may use the pool. They may not use the sauna.", "Visitors may use the sauna."),
        ("The library supports Linux; it does not support Windows.",
         "The library supports Windows."),
        ("Encryption: no\nCompression: yes", "Encryption: yes."),
        ("Encryption: no\nCompression: yes", "Compression: no."),
        ("Wi-Fi: yes\nParking: no\nPool: yes", "Parking: yes."),
        ("Wi-Fi: yes\nParking: no\nPool: yes", "Pool: no."),
        ("Is smoking allowed? No.", "Smoking is allowed."),
        ("Q: Is parking free?\nA: No, parking costs $5 per day.", "Parking is free."),
        ("Germany has 83 million inhabitants.", "France has 83 million inhabitants."),
        ("Alice approves all purchase orders above $500.",
         "Bob approves all purchase orders above $500."),
        ("PostgreSQL stores the user data and Redis stores the sessions.",
         "MongoDB stores the sessions."),
        ("Remote work is allowed three days per week.",
         "Remote work is allowed three days per month."),
        ("The fee is $20 per user per month.", "The fee is $20 per user per year."),
        ("The fee is $20/month.", "The fee is $20 per year."),
        ("Do not exceed 4 g per day.", "Do not exceed 4 g per hour."),
        ("Speed is limited to 30 km per hour.", "Speed is limited to 30 km per second."),
        ("Support is available 24 hours a day, 7 days a week.",
         "Support is available 24 hours a week."),
        ("Salaries are paid monthly.", "Salaries are paid weekly."),
        ("The contract was signed in the third quarter.",
         "The contract was signed in the second quarter."),
        ("The contract was signed in the third quarter.",
         "The contract was signed in the fourth quarter."),
        ("Interest is paid on the 15th of each month.",
         "Interest is paid on the sixteenth of each month."),
        ("The first payment is due on signing and the second payment on delivery.",
         "The third payment is due on signing."),
        ("Orders over 50 euros ship free.", "Orders under 50 euros ship free."),
        ("Guests under 18 are not admitted.", "Guests over 18 are not admitted."),
        ("Requests with more than 10 items fail.", "Requests with at most 10 items fail."),
        ("Passwords must contain at least 12 characters.",
         "Passwords must contain up to 12 characters."),
        ("The side door is locked at night.", "The side door is unlocked at night."),
        ("Access is limited to authorized personnel.",
         "Access is limited to unauthorized personnel."),
        ("The bag weighs 20 kg.", "The bag weighs 20 pounds."),
        ("He earned 5 million dollars.", "He earned 5 million pounds."),
        ("The plant produced 3.2 million tonnes of steel in 2021.",
         "The plant produced 3.2 million pounds of steel in 2021."),
        ("The heater uses 2 kW at 230 V.", "The heater uses 2 kV at 230 V."),
        ("Is there a cancellation fee? No cancellation fee applies.",
         "A cancellation fee applies."),
        ("Are pets welcome? No pets are allowed in the hotel.", "Pets are allowed in the hotel."),
        ("Any questions? No employee may share passwords.", "Employees may share passwords."),
        ("What does it cost? No deposit is required.", "A deposit is required."),
        ("Submit requests no later than 5 pm.", "Submit requests later than 5 pm."),
        ("Applications are accepted no later than 31 March.",
         "Applications are accepted later than 31 March."),
        ("Guests may check in no earlier than 3 pm.", "Guests may check in earlier than 3 pm."),
        ("Refunds take no more than a week.", "Refunds take more than a week."),
        ("There is no more than a 1% chance of loss.", "There is more than a 1% chance of loss."),
        ("Repairs cost no more than about $50.", "Repairs cost more than about $50."),
        ("The deposit is never more than $50.", "The deposit is more than $50."),
        ("Members pay no more than non-members.", "Members pay more than non-members."),
        ("Your card is not discharged.", "Your card is charged."),
    ],
)  # fmt: skip
def test_what_was_bent_is_not_supported(source, text):
    found = verdict(text, source)

    assert not found.supported, found


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Windows is not supported.", "Windows isn't supported."),
        ("Windows is not supported.", "Windows isn\u2019t supported."),
        ("Refunds are not available.", "Refunds aren't available."),
        ("Guests are not allowed in the lab.", "Guests aren't allowed."),
        ("Refunds will not be issued after 30 days.", "Refunds won't be issued."),
        ("Wi-Fi: yes\nParking: no\nPool: yes", "Parking: no."),
        ("Wi-Fi: yes\nParking: no\nPool: yes", "Pool: yes."),
        ("Q: Is parking free?\nA: No, parking costs $5 per day.", "Parking costs $5 per day."),
        ("Q: Is parking free?\nA: No, parking costs $5 per day.", "Parking is not free."),
        ("Q: Is parking free?\nA: Yes, parking is free for guests.",
         "Parking is free for guests."),
        ("Is smoking allowed? No.", "Smoking is not allowed."),
        ("Is smoking allowed? Yes.", "Smoking is allowed."),
        ("Deposits are not refunded except for medical reasons.", "Deposits are not refunded."),
        ("Deposits are not refunded except for medical reasons.",
         "Deposits are refunded for medical reasons."),
        ("Flights are not refundable, except in case of illness.",
         "Flights are refundable in case of illness."),
        ("Passwords must not be shared with anyone except the IT team.",
         "Passwords may be shared with the IT team."),
        ("All items can be returned except gift cards.", "Gift cards cannot be returned."),
        ("All items can be returned except gift cards.",
         "Items can be returned, except gift cards."),
        ("Do not enter the lab without safety glasses.",
         "Do not enter the lab without safety glasses."),
        ("Staff may leave without permission.", "Staff may leave without permission."),
        ("Visitors may use the pool. They may not use the sauna.",
         "Visitors may not use the sauna."),
        ("Visitors may use the pool. They may not use the sauna.", "Visitors may use the pool."),
        ("Remote work is allowed three days per week.",
         "Remote work is allowed three days a week."),
        ("Remote work is allowed three days per week.",
         "Remote work is allowed three days each week."),
        ("The fee is $20 per user per month.", "The fee is $20 a month per user."),
        ("The fee is $20 per user per month.", "The fee is $20 per user."),
        ("Speed is limited to 30 km/h.", "Speed is limited to 30 km/h."),
        ("Speed is limited to 30 km per hour.", "Speed is limited to 30 km/h."),
        ("Support is available 24 hours a day, 7 days a week.",
         "Support is available 24 hours a day."),
        ("The contract was signed in the third quarter.",
         "The contract was signed in the third quarter."),
        ("One third of the staff work remotely.", "A third of the staff work remotely."),
        ("Interest is paid on the 15th of each month.",
         "Interest is paid on the fifteenth of each month."),
        ("The second payment is due on delivery.", "The second payment is due on delivery."),
        ("The 2nd payment is due on delivery.", "The second payment is due on delivery."),
        ("The answer arrives within a second.", "The answer arrives within a second."),
        ("Orders over 50 euros ship free.", "Orders above 50 euros ship free."),
        ("Orders over 50 euros ship free.", "Orders of more than 50 euros ship free."),
        ("Passwords must contain at least 12 characters.",
         "Passwords must contain 12 characters or more."),
        ("Guests under 18 are not admitted.", "Guests under 18 are not admitted."),
        ("No more than 10 items are allowed.", "At most 10 items are allowed."),
        ("The bag weighs 20 lbs.", "The bag weighs 20 pounds."),
        ("The bag costs £20.", "The bag costs 20 pounds."),
        ("The bag weighs 20 pounds.", "The bag weighs 20 lbs."),
        ("He paid 5 pounds.", "He paid £5."),
        ("Germany has 83 million inhabitants.", "Germany has 83 million inhabitants."),
        ("Fabrikam staff get 30 days.", "Employees get 30 days."),
        ("Is there a cancellation fee? No cancellation fee applies.",
         "No cancellation fee applies."),
        ("Can I cancel my order? No problem, just write to us within 24 hours.",
         "You can cancel your order by writing to us within 24 hours."),
        ("Is shipping free? No, only for orders over $50.",
         "Shipping is free for orders over $50."),
        ("Does the warranty cover batteries? No, only for the first year.",
         "The warranty covers batteries only for the first year."),
        ("Can children use the gym? No, except with a parent.",
         "Children can use the gym with a parent."),
        ("Can I return sale items? No, unless they are faulty.",
         "Sale items can be returned if they are faulty."),
        ("You may not upload more than 10 files.", "You may upload no more than 10 files."),
        ("You may not upload more than 10 files.", "You may upload up to 10 files."),
        ("Employees cannot carry over more than 5 days of leave.",
         "Employees can carry over no more than 5 days of leave."),
        ("Do not send more than 10 items per parcel.", "Send no more than 10 items per parcel."),
        ("There are never more than 10 guests in a group.",
         "There are no more than 10 guests in a group."),
        ("The deposit may not exceed $50.", "The deposit is no more than $50."),
        ("Reports must not be submitted later than 5 pm.",
         "Reports must be submitted no later than 5 pm."),
        ("Orders over $50 ship free; all others pay $5 for shipping.",
         "Orders up to $50 pay $5 for shipping."),
        ("Customers can cancel the subscription at any time.",
         "Subscribers can cancel the subscription at any time."),
        ("Admins can reset passwords in the settings.",
         "Administrators can reset passwords in the settings."),
        ("Anyone can register for the event online.",
         "Everyone can register for the event online."),
        ("Shipping takes 3 business days.", "Delivery takes 3 business days."),
        ("Refunds are issued within 14 days.", "Reimbursements are issued within 14 days."),
        ("Managers approve leave requests.", "Supervisors approve leave requests."),
        ("Submit the form by Friday.", "Send the form by Friday."),
        ("Press the button to start the machine.", "Push the button to start the machine."),
        ("Check the settings. The backup starts when the disk is full.",
         "Whenever the disk is full, the backup starts."),
        ("If the device does not start, hold the power button for 10 seconds.",
         "Hold the power button for 10 seconds to start the device."),
        ("If you do not cancel within 14 days, you will be charged in full.",
         "You can cancel within 14 days to avoid being charged in full."),
        ("If your invoice is not visible, ask a billing admin for access.",
         "Ask a billing admin for access to make your invoice visible."),
        ("Why can't I see my invoice?\nAsk an admin for access.",
         "Ask an admin for access to see your invoice."),
        ("Server does not respond\nRestart the server. It should respond within 30 seconds.",
         "After a restart, the server should respond within 30 seconds."),
        ("Refunds are not available without a receipt.",
         "Without a receipt, refunds are not available."),
        ("Visitors may not park on campus without a valid permit.",
         "Without a valid permit, visitors may not park on campus."),
        ("You cannot enter the building without a ticket.",
         "You cannot enter the building if you do not have a ticket."),
        ("Employees without a badge may not enter the warehouse.",
         "Employees who have no badge may not enter the warehouse."),
        ("The price is $10 per month, billed annually.",
         "The monthly price of $10 is billed annually."),
        ("Backups run every day and are tested in a monthly drill.", "Backups run daily."),
        ("Invoices are sent each quarter, and statements monthly.",
         "Invoices are sent quarterly."),
        ("After submission, each paper is reviewed twice.",
         "Once submitted, each paper is reviewed twice."),
        ("The fee is charged if usage is less than 5 hours.",
         "The fee is charged unless usage is at least 5 hours."),
        ("The company sold 5,000 of its phones in May.", "The company sold 5,000 units in May."),
        ("Revenue rose to $5 million in H2 2023.",
         "Revenue rose to $5 million in the second half of 2023."),
        ("Sales in Q4FY23 reached 20 million euros.",
         "Sales in the fourth quarter reached 20 million euros."),
        ("Meetings take place every other week on Monday.",
         "Meetings take place every second week on Monday."),
        ("| Page | Login required |\n|---|---|\n| Course catalogue | No |\n| Grades | Yes |",
         "The course catalogue is open to all and needs no login."),
        ("No more than 3 devices can be registered.", "At most 3 devices can be registered."),
        ("No more than 3 devices can be registered.", "Up to 3 devices can be registered."),
        ("We do not admit guests under 18.", "Guests under 18 are not admitted."),
    ],
)  # fmt: skip
def test_what_says_the_same_is_supported(source, text):
    found = verdict(text, source)

    assert found.supported, found


@pytest.mark.parametrize(
    ("source", "text", "check", "reason"),
    [
        ("Alice signs orders.", "Bob signs orders.", "names",
         'it says "Bob" where the source says "Alice"'),
        ("Alice signs.", "Bob signs.", "names", 'it says "Bob" where the source says "Alice"'),
        ("Alice signs orders.", "Bob signs the orders.", "names",
         'it says "Bob" where the source says "Alice"'),
        ("Alice trusts Alice.", "Bob trusts Alice.", "names",
         'it says "Bob" where the source says "Alice"'),
        ("Alice signed orders.", "Bob signed orders.", "names",
         'it says "Bob" where the source says "Alice"'),
        ("The shop is open on any day.", "The shop is daily closed.", "opposites",
         'it says "closed" where the source says "open"'),
        ("Parking costs money for all.", "Free parking: no.", "negation",
         "it denies what it cites affirms"),
        ("The shop opens at 11 PM.", "The shop opens at 12 PM.", "figures",
         '"12 PM" is not in what it cites'),
        ("The third payment is due.", "The fourth payment is due.", "figures",
         '"fourth" is not in what it cites'),
    ],
)  # fmt: skip
def test_a_verdict_names_what_was_bent(source, text, check, reason):
    found = verdict(text, source)

    assert (found.supported, found.check, found.reason) == (False, check, reason)


@pytest.mark.parametrize(
    ("source", "text", "question"),
    [
        ("Alice signs orders and bills.", "Bob signs orders and bills.", "What does Bob sign?"),
        ("Alice signs orders and bills.", "bob signs orders and bills.", ""),
        ("Alice signs orders and bills.", "She signs orders and bills.", ""),
        ("Clerks sign orders, as clerks do.", "Staff sign orders, as clerks do.", ""),
        ("Gauss the great: the results are shown.", "However, the results are shown.", ""),
        ("They sign orders and bills.", "Clerks sign orders and bills.", ""),
        ("Alice signs orders. Bob signs bills.", "Clerks signs orders for roses.", ""),
        ("Alice signs orders and bills.", "Somebody else signs orders and bills.", ""),
        ("Alice signed orders and bills.", "Clerks signed orders and bills.", ""),
        ("It signs orders and bills.", "Bob signs orders and bills.", ""),
        ("The shop opens at 3 pm.", "The shop opens at 3 P.M.", ""),
    ],
)
def test_no_name_was_replaced(source, text, question):
    assert verdict(text, source, question=question).check != "names"


def test_any_source_may_hold_the_replaced_name():
    sources = [Source(passage("It rains.")), Source(passage("Alice signs orders.", "b"))]

    assert judge(Statement("Bob signs orders.", sources)).check == "names"


def test_a_bound_that_one_source_states_is_right():
    sources = [Source(passage("Guests under 18 pay.")), Source(passage("Guests over 18 pay.", "b"))]

    assert judge(Statement("Guests over 18 pay.", sources)).supported
    assert judge(Statement("Guests above 18 pay.", sources[:1])).check == "negation"
    assert judge(Statement("Guests over 18 pay.", [Source(passage("Guests of 18 pay."))])).supported


def test_a_bound_stands_close_by():
    far = "Guests under 18 pay. It rains. It snows. The sun shines. Dogs over 18 eat."

    assert verdict("Guests over 18 pay.", far).check == "negation"


def test_what_is_denied_in_a_clause_must_be_more_than_a_word():
    source = "Visitors may use the pool. They may not smoke."

    assert verdict("Visitors who smoke may use the pool.", source).supported


def test_what_is_affirmed_as_well_is_not_denied():
    source = "Members may use the sauna. Guests, old or young, may not use the sauna."

    assert verdict("Sauna use helps members relax and use water.", source).check != "negation"
    both = "They may use the sauna. They may not use the sauna."
    assert verdict("Visitors may use the sauna.", both).supported


def test_a_cell_that_says_no_speaks_of_its_column():
    table = "| Feature | Free | Pro |\n|---|---|---|\n| SSO | No | Yes |\n| Audit log | No | Yes |"

    assert verdict("Pro includes an audit log.", table).supported


def test_times_may_be_written_in_two_ways():
    assert verdict("The shop opens at 9 AM.", "The shop opens at 9 a.m.").supported
    assert verdict("The shop opens at 9 PM.", "The shop opens at 9 p.m.").supported


def test_what_is_bent_is_noticed_in_other_languages():
    assert verdict("Der Hund: yes.", "Der Hund: no.", language="de").check == "negation"
    assert verdict("Offen ab 12 am Freitag.", "Offen ab 11 Uhr.", language="de").reason == (
        '"12" is not in what it cites'
    )
