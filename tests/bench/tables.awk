# What stands in results.csv and report.md. -v what=csv: every number, one a line; what=tables: Markdown
# of medians and ranges, and of ratios taken round by round.

function number(x) {
	if (x >= 100)
		return sprintf("%d", x + 0.5)
	return x >= 10 ? sprintf("%.1f", x) : sprintf("%.2f", x)
}

function cell(label, broker, name, m) {
	m = median(label, broker, name)
	if (!count)
		return "-"
	return count > 1 ? number(m) " (" number(low) "-" number(high) ")" : number(m)
}

# ttgd's number over the broker's, of each round in which both were measured.
function ratio(label, broker, name, i, n, list, m) {
	n = 0
	if (broker == "ttgd")
		return "1"
	for (i = 1; i <= rounds; i++)
		if (((label, broker, name, i) in values) && values[label, broker, name, i] > 0 &&
		    ((label, "ttgd", name, i) in values))
			list[++n] = values[label, "ttgd", name, i] / values[label, broker, name, i]
	if (!n)
		return "-"
	m = median_of(list, n)
	return n == 1 ? sprintf("%.2f", m) : sprintf("%.2f (%.2f-%.2f)", m, low, high)
}

function row(label, broker, first, names, n, i, text) {
	text = "| " first " |"
	for (i = 1; i <= n; i++) {
		if (substr(names[i], 1, 1) == "/")
			text = text " " ratio(label, broker, substr(names[i], 2)) " |"
		else
			text = text " " cell(label, broker, names[i]) " |"
	}
	print text
}

function head(title, first, heads, n, i, text) {
	print "### " title "\n"
	text = "| " first " |"
	for (i = 1; i <= n; i++)
		text = text " " heads[i] " |"
	print text
	text = "|---|"
	for (i = 1; i <= n; i++)
		text = text "---|"
	print text
}

# A row for each broker. Names that begin with a slash are ratios.
function by_broker(label, title, all_names, all_heads, n, k, names, heads, begun) {
	n = split(all_names, names, ";")
	split(all_heads, heads, ";")
	begun = 0
	for (k = 1; k <= n_brokers; k++) {
		if (!has(label, brokers[k], names[1]))
			continue
		if (!begun)
			head(title, "broker", heads, n)
		begun = 1
		row(label, brokers[k], brokers[k], names, n)
	}
	if (begun)
		print ""
}

# ttgd alone: a row for each member of the family.
function by_growth(family, title, all_names, all_heads, n, i, names, heads, begun) {
	n = split(all_names, names, ";")
	split(all_heads, heads, ";")
	begun = 0
	for (i = 1; i <= n_labels; i++) {
		if (member(labels[i], family) == "" || !has(labels[i], "ttgd", names[1]))
			continue
		if (!begun)
			head(title, family, heads, n)
		begun = 1
		row(labels[i], "ttgd", member(labels[i], family), names, n)
	}
	if (begun)
		print ""
}

function print_tables(i, speed, speed_heads, catchup, catchup_heads) {
	speed = "events_per_s;broker_cpu_s_per_million;clients_cpu_s_per_million;peak_mb;written_bytes_per_event"
	speed_heads = "events/s;broker CPU s/million;clients CPU s/million;peak MB;written bytes/event"
	catchup = "catchup_events_per_s;full_events_per_s;full_mb;alone_accepted_p99_us;beside_accepted_p99_us"
	catchup_heads = "caught up/s;events/s beside the backlog;MB with it;live accepted p99 us beside the backlog;while it is caught up"
	by_broker("throughput", "Throughput", speed ";/events_per_s;/broker_cpu_s_per_million;events;repeats", speed_heads ";ttgd / it events/s;CPU;events;repeats")
	for (i = 1; i <= n_labels; i++)
		if (member(labels[i], "latency") != "")
			by_broker(labels[i], "Latency at " member(labels[i], "latency") " events a second, us", "accepted_p50_us;accepted_p99_us;accepted_p999_us;/accepted_p50_us;/accepted_p99_us;delivered_p50_us;delivered_p99_us;delivered_p999_us;/delivered_p50_us;broker_cpu_part;unfinished", "accepted p50;p99;p99.9;ttgd / it p50;p99;delivered p50;p99;p99.9;ttgd / it p50;broker CPU;events given up")
	by_broker("memory", "Memory with events queued for two absent subscribers", "idle_mb;queued_mb;peak_mb;backlog;bytes_per_queued;/queued_mb", "idle MB;queued MB;peak MB;events;bytes a queued entry;ttgd / it")
	by_broker("catchup", "Catch-up of one mailbox", catchup, catchup_heads)
	by_broker("recovery", "Recovery", "seconds;backlog;journal_mb;resident_mb", "seconds to listen;events;journal MB;resident MB")
	by_growth("agencies", "Agencies in the configuration", speed, speed_heads)
	by_growth("connected", "Publishers connected, 500 agencies, 1024 events unanswered in all", speed, speed_heads)
	by_growth("bytes", "Bytes of an event", speed, speed_heads)
	by_growth("persons", "Persons", speed, speed_heads)
	by_growth("backlog", "Backlog of an absent mailbox", catchup, catchup_heads)
	by_growth("journal", "Events in the journal when it is killed", "seconds;journal_mb;resident_mb", "seconds to listen;journal MB;resident MB")
	by_broker("disk-4k", "Disk, 4 KiB", "syncs_per_s;mb_per_s;p50_us;p99_us", "syncs/s;MB/s;p50 us;p99 us")
	by_broker("disk-64k", "Disk, 64 KiB", "syncs_per_s;mb_per_s;p50_us;p99_us", "syncs/s;MB/s;p50 us;p99 us")
}

END {
	if (what == "csv") {
		print "round,label,broker,mode,name,value"
		for (line_at = 1; line_at <= n_lines; line_at++)
			print lines[line_at]
	} else {
		print_tables()
	}
}
