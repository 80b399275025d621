using System.Text;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Configuration;

public sealed class SettingsReaderTests
{
    [Fact]
    public void The_discovery_section_is_read()
    {
        var options = Parse("[postfix]\nsecurity_level = encrypt\n[discovery]\nmode = on\ndane = no\nwait = 250ms\nfirst_sight = temp\nskip = A.example, .b.example\n"
            + "map_aliases = QUERY:tlspolicy, QUERYwithTLSRPT:tlspolicy-tlsrpt\n");

        Assert.Equal(DiscoveryMode.On, options.Discovery.Mode);
        Assert.Equal(new DiscoverySettings(TlsLevel.Encrypt, Dane: false, MtaSts: true), options.Discovery.Conditions(options.Postfix));
        Assert.Equal((TimeSpan.FromMilliseconds(250), true), (options.Discovery.Wait, options.Discovery.DefersFirstSight));
        Assert.Equal(["a.example", ".b.example"], options.Discovery.Skip);
        Assert.Equal(MapName.TlsPolicyTlsRpt, options.Discovery.MapAliases["QUERYwithTLSRPT"]);
        Assert.False(options.Discovery.MapAliases.ContainsKey("query"));
    }

    [Fact]
    public void The_example_of_the_manual_is_read()
    {
        var settings = Parse(
            """
            [lookup]
            socketmap = inet:127.0.0.1:8461, unix:/var/spool/postfix/policydaemon/socketmap
            tcp_table = inet:127.0.0.1:8462
            [store]
            database = /var/lib/policydaemon/policy.db
            [postfix]
            fingerprint_digest = sha1      ; must equal smtp_tls_fingerprint_digest
            version = 3.7.11
            near_miss = temp
            """);

        Assert.Equal(
            ["inet:127.0.0.1:8461", "unix:/var/spool/postfix/policydaemon/socketmap"], settings.Socketmap.Select(value => value.Text));
        Assert.Equal(["inet:127.0.0.1:8462"], settings.TcpTable.Select(value => value.Text));
        Assert.Equal("/var/lib/policydaemon/policy.db", settings.Database);
        Assert.Equal("/var/lib/policydaemon/policy.db.snapshot", settings.Snapshot);
        Assert.Equal(new PostfixSettings(DigestAlgorithm.Sha1, new PostfixVersion(3, 7), NearMissAnswer.Temporary), settings.Postfix);
    }

    [Fact]
    public void A_line_that_ends_in_a_backslash_is_continued()
    {
        var settings = Parse("[store]\npostgresql = host=db1 \\ ; the primary\n    dbname=policydaemon\\\r\n\tuser=mx1\nnode = mx1 \\\n\nnotify = yes\nvantage = here\\");

        Assert.Equal("postgresql:host=db1 dbname=policydaemon user=mx1", settings.Server);
        Assert.Equal(("mx1", true, "here"), (settings.Node, settings.Notify, settings.Vantage));
    }

    [Fact]
    public void An_error_behind_a_continued_line_names_its_own_line()
    {
        var error = Assert.Throws<ConfigurationException>(() => Parse("[store]\npostgresql = host=db1 \\\n  dbname=policydaemon \\\n  password=x\nunknown = 1\n"));

        Assert.Equal([2, 5], error.Problems.Select(problem => problem.Line).Order());
    }

    [Fact]
    public void An_empty_file_gives_the_documented_defaults()
    {
        var settings = Parse("");

        Assert.Equal(["inet:127.0.0.1:8461"], settings.Socketmap.Select(value => value.Text));
        Assert.Equal(["inet:127.0.0.1:8462"], settings.TcpTable.Select(value => value.Text));
        Assert.Equal(PostfixSettings.Default, settings.Postfix);
        Assert.Equal(4096, settings.MaxConnections);
        Assert.EndsWith("/policydaemon/policy.db", settings.Database, StringComparison.Ordinal);
    }

    [Fact]
    public void What_main_cf_says_is_read_in_the_form_that_main_cf_has()
    {
        var settings = Parse(
            """
            [postfix]
            security_level = dane-only
            mx_address_limit = 0
            inet_protocols = ipv4
            address_preference = ipv6
            protocols =
            mandatory_protocols = !SSLv2, !SSLv3 !TLSv1:!TLSv1.1
            dane_insecure_mx_policy = encrypt
            """);

        var expected = PostfixSettings.Default with
        {
            SecurityLevel = TlsLevel.DaneOnly, MxAddressLimit = 0, InetProtocols = AddressFamilies.IPv4, AddressPreference = AddressFamilies.IPv6,
            Protocols = "", MandatoryProtocols = "!SSLv2:!SSLv3:!TLSv1:!TLSv1.1", DaneInsecureMxPolicy = TlsLevel.Encrypt,
        };
        Assert.Equal(expected, settings.Postfix);
        Assert.Empty(settings.AssumedOfMainCf);
    }

    [Fact]
    public void What_the_file_leaves_out_of_main_cf_is_assumed()
    {
        Assert.Equal(
            ["mx_address_limit", "inet_protocols", "address_preference", "protocols", "mandatory_protocols", "dane_insecure_mx_policy"],
            Parse("[postfix]\nsecurity_level = may\n").AssumedOfMainCf);
    }

    [Fact]
    public void Every_level_can_be_that_of_main_cf() =>
        Assert.All(TlsLevels.Names, name => Assert.Equal(name, Parse($"[postfix]\nsecurity_level = {name}\n").Postfix.SecurityLevel.Name()));

    [Fact]
    public void An_empty_list_of_endpoints_is_meant()
    {
        Assert.Empty(Parse("[lookup]\ntcp_table =\n").TcpTable);
    }

    [Theory]
    [InlineData("[lookup]\nsocketmaps = inet:127.0.0.1:1", "x.conf:2: lookup.socketmaps: there is no such key; [lookup] has socketmap, tcp_table, max_connections")]
    [InlineData("[store]\n\nversion = 3.7", "x.conf:3: store.version: there is no such key; version belongs in [postfix]")]
    [InlineData("[store]\nstatus_socket = s.sock", "x.conf:2: store.status_socket: 's.sock' is not an absolute path")]
    [InlineData("[store]\nstatus_socket = /run/policydaemon/", "x.conf:2: store.status_socket: '/run/policydaemon/' names no file; write a path such as /run/policydaemon/status.sock")]
    [InlineData("[store]\ndatabase = /a/b\nstatus_socket = /a/b", "x.conf:3: store.status_socket: '/a/b' is in use by another key of this file; give the status socket a path of its own")]
    [InlineData("[lookup]\nsocketmap = unix:/a/b\n[store]\nstatus_socket = /a/b", "x.conf:4: store.status_socket: '/a/b' is in use by another key of this file; give the status socket a path of its own")]
    [InlineData("[store]\nstatus_socket = /0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678", "x.conf:2: store.status_socket: '/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678' is too long; the path of a unix socket has at most 107 octets")]
    [InlineData("[lookup]\n[bogus]\n", "x.conf:2: there is no section [bogus]; the sections are [lookup], [store], [postfix], [discovery], [probe], [metrics], [web]")]
    [InlineData("[postfux]\ndigest = 1", "x.conf:2: postfux.digest: there is no such key; the sections are [lookup], [store], [postfix], [discovery], [probe], [metrics], [web]")]
    [InlineData("[postfix]\nversion = 3.7\nversion = 3.8", "x.conf:3: postfix.version: already set on line 2; keep one")]
    [InlineData("[postfix]\nversion = 2.11", "x.conf:2: postfix.version: Postfix before 3.4 is not served")]
    [InlineData("[postfix]\nversion = three", "x.conf:2: postfix.version: 'three' is no version; write what `postconf -h mail_version` prints, such as 3.7")]
    [InlineData("[postfix]\nfingerprint_digest = sha3", "x.conf:2: postfix.fingerprint_digest: 'sha3' is no digest served; write one of md5, sha1, sha256, sha512")]
    [InlineData("[postfix]\nnear_miss = may", "x.conf:2: postfix.near_miss: 'may' is neither notfound nor temp")]
    [InlineData("[postfix]\nsecurity_level = strict", "x.conf:2: postfix.security_level: 'strict' is none of none, may, encrypt, fingerprint, dane, dane-only, verify, secure")]
    [InlineData("[postfix]\ndane_insecure_mx_policy = none", "x.conf:2: postfix.dane_insecure_mx_policy: 'none' is none of may, encrypt, dane")]
    [InlineData("[postfix]\nmx_address_limit = -1", "x.conf:2: postfix.mx_address_limit: '-1' is not a number from 0 to 100000")]
    [InlineData("[postfix]\ninet_protocols = any", "x.conf:2: postfix.inet_protocols: 'any' is none of all, ipv4, ipv6")]
    [InlineData("[postfix]\naddress_preference = all", "x.conf:2: postfix.address_preference: 'all' is none of any, ipv4, ipv6")]
    [InlineData("[postfix]\nprotocols = >=TLSv1.4", "x.conf:2: postfix.protocols: '>=TLSv1.4' is no protocol; write >=NAME, <=NAME, !NAME or NAME, joined by colons, with NAME one of SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3")]
    [InlineData("[discovery]\nmode = yes", "x.conf:2: discovery.mode: 'yes' is none of off, observe and on")]
    [InlineData("[discovery]\nwait = 11s", "x.conf:2: discovery.wait: '11s' is not a time from 0s to 10s; write a number and one of s, m, h, d, such as 15m")]
    [InlineData("[discovery]\nfirst_sight = defer", "x.conf:2: discovery.first_sight: 'defer' is neither opportunistic nor temp")]
    [InlineData("[discovery]\nmode = on\nfirst_sight = temp", "x.conf:3: discovery.first_sight: with dane = yes and resolver_trusted = no nothing is ever known of DANE, and all mail would wait; trust a resolver that validates, or set dane = no")]
    [InlineData("[discovery]\nskip = a.example, [b.example]", "x.conf:2: discovery.skip: '[b.example]' is neither a domain nor a .suffix")]
    [InlineData("[discovery]\nmap_aliases = QUERY", "x.conf:2: discovery.map_aliases: 'QUERY' is no alias; write NAME:tlspolicy or NAME:tlspolicy-tlsrpt")]
    [InlineData("[discovery]\nmap_aliases = QUERY:pins", "x.conf:2: discovery.map_aliases: 'QUERY:pins' is no alias; write NAME:tlspolicy or NAME:tlspolicy-tlsrpt")]
    [InlineData("[discovery]\nmap_aliases = tlspolicy:tlspolicy-tlsrpt", "x.conf:2: discovery.map_aliases: 'tlspolicy' is a map's own name")]
    [InlineData("[discovery]\nmap_aliases = Q:tlspolicy, Q:tlspolicy", "x.conf:2: discovery.map_aliases: 'Q' is given twice")]
    [InlineData("[lookup]\nmax_connections = 3", "x.conf:2: lookup.max_connections: '3' is not a number from 16 to 100000")]
    [InlineData("[lookup]\nmax_connections = 99999999999999999999", "x.conf:2: lookup.max_connections: '99999999999999999999' is not a number from 16 to 100000")]
    [InlineData("[store]\ndatabase = policy.db", "x.conf:2: store.database: 'policy.db' is not an absolute path")]
    [InlineData("version = 3.7", "x.conf:1: version: stands before any [section]")]
    [InlineData("[postfix\nversion = 3.7", "x.conf:1: '[postfix' is no section; write [name]")]
    [InlineData("[postfix]\nversion", "x.conf:2: 'version' is neither [section] nor key = value; start a comment with ;")]
    public void A_mistake_is_reported_with_file_line_and_key(string text, string expected)
    {
        var exception = Assert.Throws<ConfigurationException>(() => Parse(text));

        Assert.Contains(expected, exception.Problems.Select(problem => problem.ToString()));
    }

    [Fact]
    public void Every_mistake_is_reported_at_once()
    {
        var exception = Assert.Throws<ConfigurationException>(() => Parse("[postfix]\nversion = x\nnear_miss = y\n[lookup]\nfoo = 1\n"));

        Assert.Equal([5, 2, 3], exception.Problems.Select(problem => problem.Line));
    }

    [Fact]
    public void Text_that_is_not_utf8_is_refused_with_its_line()
    {
        var exception = Assert.Throws<ConfigurationException>(
            () => SettingsReader.Parse("x.conf", [.. "[store]\n; caf"u8, 0xE9, (byte)'\n']));

        Assert.Equal("x.conf:2: not UTF-8 text; save the file as UTF-8", exception.Problems[0].ToString());
    }

    [Fact]
    public void A_missing_file_is_an_error_and_not_a_default()
    {
        var missing = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

        var exception = Assert.Throws<ConfigurationException>(() => SettingsReader.Load(missing));

        Assert.Equal($"{missing}: cannot be read: there is no such file; name the configuration with --config", exception.Message);
    }

    [Fact]
    public void A_store_named_on_the_command_line_has_its_own_companions()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "[store]\ndatabase = /a/b.db\nsnapshot = /a/s\nstatus_file = /a/t\n");

            var settings = SettingsReader.Load(file, "/c/d.db");

            Assert.Equal(
                ("/c/d.db", "/c/d.db.snapshot", "/c/d.db.status", "/c/d.db.status.sock"),
                (settings.Database, settings.Snapshot, settings.StatusFile, settings.StatusSocket));
            Assert.Equal("/a/b.db", settings.OfMachine!.Database);

            // The configured one, named once more, is no other.
            var same = SettingsReader.Load(file, "/a/../a/b.db");
            Assert.Equal(("/a/b.db", "/a/s", "/a/t", "/a/t.sock"), (same.Database, same.Snapshot, same.StatusFile, same.StatusSocket));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("[store] ; where it lies\ndatabase = /a;b ; the file\n", "/a;b")]
    [InlineData("; x\n # y\n[store]\r\ndatabase=/a\r\n", "/a")]
    public void Comments_and_line_ends_are_left_out(string text, string database)
    {
        Assert.Equal(database, Parse(text).Database);
    }

    [Fact]
    public void Hostile_bytes_are_an_error_and_never_an_exception_of_another_kind()
    {
        var random = new Random(20261123);
        var alphabet = "[]=;#\n\r \tabcstorelookup.\0\u00e4"u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(60)];
            for (var i = 0; i < bytes.Length; i++)
                bytes[i] = alphabet[random.Next(alphabet.Length)];
            try
            {
                SettingsReader.Parse("x.conf", bytes);
            }
            catch (ConfigurationException exception)
            {
                Assert.NotEmpty(exception.Problems);
            }
        }
    }

    private static Settings Parse(string text) => SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes(text));
}
