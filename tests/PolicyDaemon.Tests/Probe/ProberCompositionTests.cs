using System.Text;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.Smtp;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe;

public sealed class ProberCompositionTests
{
    [Fact]
    public void The_defaults_of_the_configuration_are_those_of_the_library()
    {
        using var parts = Compose("");

        Assert.Equal(new ScheduleOptions(), parts.Schedule);
        Assert.Equal(new ProbeOptions { EhloName = parts.ProbeOptions.EhloName }, parts.ProbeOptions);
        Assert.NotEmpty(parts.ProbeOptions.EhloName);
        Assert.Equal(new DnsOptions() with { Resolvers = [] }, ProberComposition.DnsOptionsOf(Settings("")) with { Resolvers = [] });
    }

    [Fact]
    public void The_bogus_half_of_the_self_test_can_be_skipped()
    {
        Assert.Null(ProberComposition.DnsOptionsOf(Settings("dnssec_test_bogus = none")).BogusTestName);
        Assert.Equal("bad.example", ProberComposition.DnsOptionsOf(Settings("dnssec_test_bogus = bad.example")).BogusTestName);
    }

    [Fact]
    public void Trust_anchors_come_from_the_file()
    {
        var file = Path.GetTempFileName();
        try
        {
            var root = TestCertificates.Root;
            File.WriteAllText(file, root.ExportCertificatePem());

            using var parts = Compose($"ca_file = {file}");

            Assert.Equal(root.Thumbprint, Assert.Single(parts.ProbeOptions.Roots!).Thumbprint);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_file_without_a_certificate_is_a_mistake_of_its_line()
    {
        var file = Path.GetTempFileName();
        try
        {
            var empty = Assert.Throws<ConfigurationException>(() => Compose($"ca_file = {file}"));
            Assert.Equal($"x.conf:2: probe.ca_file: '{file}' holds no certificate in PEM", Assert.Single(empty.Problems).ToString());

            var missing = Assert.Throws<ConfigurationException>(() => Compose($"ca_file = {file}.missing"));
            Assert.StartsWith($"x.conf:2: probe.ca_file: '{file}.missing' cannot be read: ", Assert.Single(missing.Problems).ToString(), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static ProberComposition Compose(string lines) => new(Settings(lines), PostfixSettings.Default, TimeProvider.System);

    private static ProbeSettings Settings(string lines) =>
        SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes("[probe]\n" + lines)).Probe;
}
