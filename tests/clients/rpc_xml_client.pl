#!/usr/bin/perl
# A session with RPC::XML::Client: perl rpc_xml_client.pl URL [USER PASSWORD]; see session.py.
use strict;
use warnings;
use Encode qw(decode encode);
use JSON::PP;
use RPC::XML;
use RPC::XML::Client;

$RPC::XML::ENCODING = 'utf-8';
my ($url, $user, $password) = @ARGV;
my $client = RPC::XML::Client->new("$url/RPC2");
$client->credentials('default', $user, $password) if defined $user;

# JSON tells truth, numbers and texts apart; Perl alone does not.
sub typed {
    my ($value) = @_;
    return RPC::XML::boolean->new($value ? 1 : 0) if JSON::PP::is_bool($value);
    return RPC::XML::array->new(map { typed($_) } @$value) if ref $value eq 'ARRAY';
    return RPC::XML::struct->new(map { $_ => typed($value->{$_}) } keys %$value) if ref $value eq 'HASH';
    return RPC::XML::int->new($value) if $value =~ /^-?\d+$/;
    return RPC::XML::string->new($value);
}

$| = 1;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
print $json->encode({ methods => undef }), "\n";
while (my $line = <STDIN>) {
    my $call = $json->decode($line);
    my $answer = $client->send_request($call->{method}, map { typed($_) } @{ $call->{args} });
    if (!ref $answer) {
        print $json->encode({ error => $answer }), "\n";
    } elsif ($answer->is_fault) {
        print $json->encode({ fault => [ $answer->code, $answer->string ] }), "\n";
    } else {
        print $json->encode({ value => $answer->value }), "\n";
    }
}
