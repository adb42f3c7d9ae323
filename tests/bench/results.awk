# Reads results.jsonl of run.sh into values[label, broker, name, round]; used with tables.awk or
# plots.awk.
{
	line = $0
	delete field
	while (match(line, /"[a-z0-9_]+":("[^"]*"|-?[0-9.]+)/)) {
		pair = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		colon = index(pair, "\":")
		value = substr(pair, colon + 2)
		gsub(/"/, "", value)
		field[substr(pair, 2, colon - 2)] = value
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
	if (round > rounds)
		rounds = round
	for (name in field) {
		if (name == "label" || name == "broker" || name == "round" || field[name] !~ /^-?[0-9.]+$/)
			continue
		values[label, broker, name, round] = field[name] + 0
		lines[++n_lines] = round "," label "," broker "," field["mode"] "," name "," field[name]
	}
}

# Median of numbers 1..n of `list`, which gets sorted; least and most go to `low` and `high`.
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

# Over the rounds; how many there were goes to `count`.
function median(label, broker, name, i, n, list) {
	n = 0
	for (i = 1; i <= rounds; i++)
		if ((label, broker, name, i) in values)
			list[++n] = values[label, broker, name, i]
	count = n
	return n ? median_of(list, n) : 0
}

function has(label, broker, name, i) {
	for (i = 1; i <= rounds; i++)
		if ((label, broker, name, i) in values)
			return 1
	return 0
}

# The number behind the family's name: bytes-64 of bytes; "" when it is of another family.
function member(label, family) {
	return label ~ ("^" family "-[0-9]+$") ? substr(label, length(family) + 2) : ""
}
