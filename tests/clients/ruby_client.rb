# A session with Ruby's XMLRPC::Client: ruby ruby_client.rb URL [USER PASSWORD]; see session.py.
require "json"
require "uri"
require "xmlrpc/client"

url, user, password = ARGV
place = URI(url)
client = XMLRPC::Client.new(place.host, "/RPC2", place.port, nil, nil, user, password, nil, 60)

$stdout.sync = true
puts JSON.generate(methods: nil)
$stdin.each_line do |line|
  call = JSON.parse(line)
  answer =
    begin
      good, value = client.call2(call["method"], *call["args"])
      good ? { value: value } : { fault: [value.faultCode, value.faultString] }
    rescue SystemCallError, IOError, RuntimeError => e
      { error: e.message }
    end
  puts JSON.generate(answer)
end
