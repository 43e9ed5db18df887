#!/usr/bin/perl
# A session with XMLRPC::Lite: perl xmlrpc_lite_client.pl URL [USER PASSWORD]; see session.py.
use strict;
use warnings;
use JSON::PP;
use XMLRPC::Lite;

my ($url, $user, $password) = @ARGV;
sub SOAP::Transport::HTTP::Client::get_basic_credentials { return ($user, $password) }
my $client = XMLRPC::Lite->proxy("$url/RPC2")->on_fault(sub { });

# What it would guess is another type for some texts.
sub typed {
    my ($value) = @_;
    return XMLRPC::Data->type(boolean => $value ? 1 : 0) if JSON::PP::is_bool($value);
    return [ map { typed($_) } @$value ] if ref $value eq 'ARRAY';
    return { map { $_ => typed($value->{$_}) } keys %$value } if ref $value eq 'HASH';
    return XMLRPC::Data->type(int => $value) if $value =~ /^-?\d+$/;
    return XMLRPC::Data->type(string => $value);
}

$| = 1;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
print $json->encode({ methods => undef }), "\n";
while (my $line = <STDIN>) {
    my $call = $json->decode($line);
    my $answer = eval { $client->call($call->{method}, map { typed($_) } @{ $call->{args} }) };
    if (!defined $answer) {
        print $json->encode({ error => $@ || $client->transport->status }), "\n";
    } elsif ($answer->fault) {
        print $json->encode({ fault => [ $answer->faultcode, $answer->faultstring ] }), "\n";
    } else {
        print $json->encode({ value => $answer->result }), "\n";
    }
}
