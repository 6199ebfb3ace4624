# Every function of the extension is called with random values, valid and hostile, by an owner, by a superuser and by a
# role with few rights that has planted spies. No call crashes the server or raises an internal error; nothing of that
# role runs as anybody else; it changes no right, no row that it may not write, and sees nothing that is hidden from it.
#   CALLS=n   how many calls; SEED=n   which ones: the same seed makes the same calls again
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use List::Util qw(min);
use HostileCalls;
use HostileStore;
use Invariants;
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $calls = $ENV{CALLS} || 1000;
my $seed = $ENV{SEED} || 20261127;
my $batch = 200;

my $node = new_server('main');
make_hostile_store($node, 'base');
my @functions = functions($node, 'base');
cmp_ok(scalar @functions, '>', 30, 'the extension has functions');
srand($seed);

# What a state says of a call: these are refused before the function does anything.
my $refused = qr/^(?:22...|3F000|P0002|42P01|42501|42883|42703|42P05|42P16|0A000|25001|25006|39P01)$/;
# What no output may have
my $telling = qr/cache lookup failed|could not open relation|SPIED|WRONG/;
my (%called, %past, %states, @wrong);

my @callers = ('owner', 'low', 'owner', 'low', 'postgres');
foreach my $first (map { $_ * $batch } 0 .. ($calls - 1) / $batch)
{
	my $caller = $callers[ ($first / $batch) % @callers ];
	$node->safe_psql('postgres', 'CREATE DATABASE batch TEMPLATE base OWNER owner');
	my $before = $node->safe_psql('batch', $rights);
	# Each in its turn; every second call goes to those that were least often past their checks.
	my @least = (sort { ($past{ $a->{name} } // 0) <=> ($past{ $b->{name} } // 0) } grep { !$never{ $_->{name} } }
		@functions)[ 0 .. 9 ];
	my @batch = map { $_ % 2 ? $least[ $_ / 2 % @least ] : $functions[ ($first + $_) / 2 % @functions ] }
	  0 .. min($batch, $calls - $first) - 1;
	my @statements = map { hostile_call($first + $_, $batch[$_], $caller) } 0 .. $#batch;
	my ($status, $out, $err) = try_psql($node, 'batch', "\\set VERBOSITY verbose\n\\set SHOW_CONTEXT always\n"
		. join('', @statements),
		on_error_stop => 0, extra_params => [ '-U', $caller ]);
	my %done = $out =~ /^# (\d+) (\w{5})$/mg;
	foreach my $call (0 .. $#batch)
	{
		my $state = $done{ $first + $call };
		my $name = $batch[$call]{name};
		$called{$name}++;
		if (!defined $state)
		{
			push @wrong, "no answer to call " . ($first + $call) . " by $caller: $statements[$call]";
			last;
		}
		$states{$name}{$state}++;
		$past{$name}++ if $state !~ $refused;
		push @wrong, "$state from call " . ($first + $call) . " by $caller: $statements[$call]"
		  if $state =~ /^(?:XX|58|57P|F0|42601|42725)/ || $state eq '42883' && !$never{$name}
		  || $state eq '00000' && $never{$name} && $statements[$call] !~ /NULL/;
	}
	push @wrong, map { "by $caller: $_" }
	  "$out\n$err" =~ /(.*$telling.*\n(?:(?:CONTEXT|  |SQL |PL).*\n)*)/g;
	if ($caller eq 'low')
	{
		push @wrong, map { "the low role sees: $_" } "$out\n$err" =~ /(.*SECRET.*)/g;
		my $after = $node->safe_psql('batch', $rights);
		my %before = map { $_ => 1 } split /\n/, $before;
		my %after = map { $_ => 1 } split /\n/, $after;
		push @wrong, map { "the low role changed it to: $_" } grep { !$before{$_} } sort keys %after;
		push @wrong, map { "the low role changed it from: $_" } grep { !$after{$_} } sort keys %before;
	}
	foreach my $schema (split /\n/, $node->safe_psql('batch', "SET client_min_messages = error;
		SELECT schema FROM public.discovery_status() WHERE state = 'current' AND edition = 'native'"))
	{
		push @wrong, map { "store $schema after calls from $first on by $caller: $_" } broken($node, 'batch', $schema);
	}
	$node->safe_psql('postgres', 'DROP DATABASE batch');
}
my $crashes = () = slurp_file($node->logfile) =~ /terminated by signal|PANIC:|TRAP:/g;
is($crashes, 0, 'no crash');
my $number = @wrong;
is(join("\n", @wrong > 30 ? @wrong[ 0 .. 29 ] : @wrong), '', 
	"$calls calls of seed $seed: no internal error, no right gained, no store broken")
  or diag("$number are wrong");
foreach my $name (sort keys %called)
{
	diag(sprintf '%-28s %5d calls, %5d past the checks: %s', $name, $called{$name}, $past{$name} // 0,
		join(', ', map { "$_ x $states{$name}{$_}" } sort keys %{ $states{$name} }));
}
# 100 times of 20,000 calls, and less often than that in a short run, where chance has its say.
my $share = $calls < 20_000 ? $calls / 500 : 100;
my @short = grep { !$never{$_} && ($past{$_} // 0) < $share } sort keys %called;
is("@short", '', "each function is called at least " . int($share) . " times past the checks of its arguments");
$node->stop;
done_testing();
