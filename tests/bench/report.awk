# Reads results.jsonl of run.sh. -v what=csv: every number, one a line; what=table: Markdown tables of
# medians, ranges and ratios; what=plot: a gnuplot script that draws into the folder `out`.
{
	line = $0
	delete field
	while (match(line, /"[a-z0-9_]+":("[^"]*"|-?[0-9.]+)/)) {
		pair = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		colon = index(pair, "\":")
		name = substr(pair, 2, colon - 2)
		value = substr(pair, colon + 2)
		gsub(/"/, "", value)
		field[name] = value
	}
	label = field["label"]
	broker = field["broker"]
	round = field["round"]
	if (!(label in known_label)) {
		known_label[label] = 1
		labels[++n_labels] = label
	}
	if (!(broker in known_broker)) {
		known_broker[broker] = 1
		brokers[++n_brokers] = broker
	}
	for (name in field) {
		if (name == "label" || name == "broker" || name == "round" || field[name] !~ /^-?[0-9.]+$/)
			continue
		values[label, broker, name, round] = field[name]
		if (round > rounds)
			rounds = round
		if (what == "csv")
			csv[++n_csv] = round "," label "," broker "," field["mode"] "," name "," field[name]
	}
}

# Median of numbers 1..n of `list`, which is sorted; least and most in `low` and `high`.
function median_of(list, n, i, k, swap) {
	for (i = 2; i <= n; i++)
		for (k = i; k > 1 && list[k] + 0 < list[k - 1] + 0; k--) {
			swap = list[k]
			list[k] = list[k - 1]
			list[k - 1] = swap
		}
	low = list[1]
	high = list[n]
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function median(label, broker, name, i, n, list) {
	n = 0
	for (i = 1; i <= rounds; i++)
		if ((label, broker, name, i) in values)
			list[++n] = values[label, broker, name, i]
	count = n
	return n ? median_of(list, n) : 0
}

# Of ttgd's number over the broker's, round by round.
function ratio(label, broker, name, i, n, list) {
	n = 0
	for (i = 1; i <= rounds; i++)
		if (((label, broker, name, i) in values) && values[label, broker, name, i] > 0 &&
		    ((label, "ttgd", name, i) in values))
			list[++n] = values[label, "ttgd", name, i] / values[label, broker, name, i]
	return n ? sprintf("%.2f", median_of(list, n)) : "-"
}

function number(x) {
	return x >= 100 ? sprintf("%d", x + 0.5) : sprintf("%.1f", x)
}

function cell(label, broker, name, m) {
	m = median(label, broker, name)
	if (!count)
		return "-"
	return count > 1 ? number(m) " (" number(low) "-" number(high) ")" : number(m)
}

function table(label, names, n, title, heads, i, k, row, any) {
	any = 0
	for (k = 1; k <= n_brokers; k++)
		if (has(label, brokers[k], names[1]))
			any = 1
	if (!any)
		return
	print "### " title "\n"
	row = "| broker |"
	for (i = 1; i <= n; i++)
		row = row " " heads[i] " |"
	print row " ttgd / it |"
	row = "|---|"
	for (i = 1; i <= n; i++)
		row = row "---|"
	print row "---|"
	for (k = 1; k <= n_brokers; k++) {
		if (!has(label, brokers[k], names[1]))
			continue
		row = "| " brokers[k] " |"
		for (i = 1; i <= n; i++)
			row = row " " cell(label, brokers[k], names[i]) " |"
		print row " " ratio(label, brokers[k], names[1]) " |"
	}
	print ""
}

function has(label, broker, name, i) {
	for (i = 1; i <= rounds; i++)
		if ((label, broker, name, i) in values)
			return 1
	return 0
}

function columns(text, names) {
	delete names
	return split(text, names, ";")
}

function print_tables(i, n, names, heads) {
	n = columns("events_per_s;broker_cpu_s_per_million;clients_cpu_s_per_million;peak_mb;written_bytes_per_event", names)
	columns("events/s;broker CPU s/million;clients CPU s/million;peak MB;written bytes/event", heads)
	for (i = 1; i <= n_labels; i++)
		table_if(labels[i], "throughput", names, n, heads)
	n = columns("accepted_p50_us;accepted_p99_us;accepted_p999_us;delivered_p50_us;delivered_p99_us;delivered_p999_us;broker_cpu_part", names)
	columns("accepted p50 us;p99;p99.9;delivered p50 us;p99;p99.9;broker CPU", heads)
	for (i = 1; i <= n_labels; i++)
		if (has(labels[i], "ttgd", "accepted_p50_us"))
			table(labels[i], names, n, labels[i], heads)
	n = columns("idle_mb;queued_mb;bytes_per_queued", names)
	columns("idle MB;queued MB;bytes a queued entry", heads)
	for (i = 1; i <= n_labels; i++)
		if (has(labels[i], "ttgd", "idle_mb"))
			table(labels[i], names, n, labels[i], heads)
	n = columns("seconds;journal_mb;resident_mb", names)
	columns("seconds to listen;journal MB;resident MB", heads)
	for (i = 1; i <= n_labels; i++)
		if (has(labels[i], "ttgd", "journal_mb"))
			table(labels[i], names, n, labels[i], heads)
	n = columns("events_per_s;alone_accepted_p99_us;beside_accepted_p99_us", names)
	columns("events/s;live p99 us alone;beside it", heads)
	table("catchup", names, n, "catch-up", heads)
	n = columns("syncs_per_s;mb_per_s;p50_us;p99_us", names)
	columns("syncs/s;MB/s;p50 us;p99 us", heads)
	table("disk-4k", names, n, "disk, 4 KiB", heads)
	table("disk-64k", names, n, "disk, 64 KiB", heads)
}

function table_if(label, mode, names, n, heads) {
	if (has(label, "ttgd", "broker_cpu_s_per_million"))
		table(label, names, n, label, heads)
}

function print_plots(i, k, m) {
	print "set terminal svg size 900,420 font 'sans,12'\nset style fill solid 0.6\nset boxwidth 0.6"
	print "set yrange [0:*]\nset grid ytics\nunset key"
	print "set output '" out "/throughput.svg'\nset title 'Events a second to the slower of two subscribers'"
	print "$data << E"
	for (k = 1; k <= n_brokers; k++)
		if (has("throughput", brokers[k], "events_per_s"))
			print brokers[k], median("throughput", brokers[k], "events_per_s"), low, high
	print "E\nplot $data using 0:2:xtic(1) with boxes, '' using 0:2:3:4 with yerrorbars"
	print "set output '" out "/latency.svg'\nset title 'Publish to accepted, microseconds, p50 and p99'\nset logscale y\nset yrange [10:*]"
	print "$late << E"
	for (i = 1; i <= n_labels; i++)
		for (k = 1; k <= n_brokers; k++)
			if (has(labels[i], brokers[k], "accepted_p50_us"))
				print brokers[k] "-" substr(labels[i], 9), median(labels[i], brokers[k], "accepted_p50_us"), median(labels[i], brokers[k], "accepted_p99_us")
	print "E\nplot $late using 0:2:xtic(1) with points pt 7, '' using 0:3 with points pt 5"
}

END {
	if (what == "csv") {
		print "round,label,broker,mode,name,value"
		for (i = 1; i <= n_csv; i++)
			print csv[i]
	} else if (what == "plot") {
		print_plots()
	} else {
		print_tables()
	}
}
