using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Core.Configuration;

public sealed class ShippedConfigurationTests
{
    private static readonly string Text = File.ReadAllText(Repository.Path("packaging", "policydaemon.conf"));

    public static TheoryData<string> Keys => [.. ConfigurationKeys.All.Select(key => key.Name)];

    [Fact]
    public void It_is_read_without_a_problem()
    {
        var settings = SettingsReader.Parse("policydaemon.conf", System.Text.Encoding.UTF8.GetBytes(Text));

        Assert.Equal("/var/lib/policydaemon/policy.db", settings.Database);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void It_documents_every_key(string key)
    {
        Assert.Matches($@"(?m)^;?{key} *=", Text);
    }

    [Fact]
    public void It_is_still_right_with_its_commented_defaults_switched_on()
    {
        var everything = System.Text.RegularExpressions.Regex.Replace(Text, @"(?m)^;(?=[a-z0-9_]+ =)", "");

        SettingsReader.Parse("policydaemon.conf", System.Text.Encoding.UTF8.GetBytes(everything));
    }
}
