using System.Xml.Linq;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Architecture;

/// <summary>The reference graph: adding a package or an arrow is a decision, made here and explained in the commit.</summary>
public class ReferenceGraphTests
{
    [Theory]
    [InlineData("Core", "", "")]
    [InlineData("Store", "Core", "Dapper Dapper.AOT Microsoft.Data.Sqlite Npgsql Microsoft.Extensions.Logging.Abstractions System.IO.Hashing")]
    [InlineData("Lookup", "Core", "Pipelines.Sockets.Unofficial Microsoft.Extensions.Logging.Abstractions")]
    [InlineData("Probe", "Core", "DnsClient MailKit Microsoft.Extensions.Logging.Abstractions")]
    [InlineData("Daemon", "Core Store Lookup Probe Administration", "Microsoft.Extensions.Hosting Microsoft.Extensions.Hosting.Systemd System.CommandLine")] // both programs read their command line alike
    [InlineData("Administration", "Core Store Probe", "")]
    [InlineData("Pages", "Core Store Administration", "")]
    [InlineData("Web", "Core Store Administration Pages", "System.CommandLine")] // and ASP.NET Core, the framework's own
    [InlineData("Cli", "Core Store Lookup Probe Administration Pages", "System.CommandLine Spectre.Console")] // Pages for `policyctl report`, Lookup for `policyctl query`, which asks as Postfix would
    public void A_project_references_what_the_architecture_allows(string project, string projects, string packages)
    {
        var document = XDocument.Load(Repository.Path("src", $"PolicyDaemon.{project}", $"PolicyDaemon.{project}.csproj"));

        Assert.Empty(References(document, "ProjectReference")
            .Select(path => Path.GetFileNameWithoutExtension(path)["PolicyDaemon.".Length..])
            .Except(Names(projects)));
        Assert.Empty(References(document, "PackageReference").Except(Names(packages)));
    }

    [Fact]
    public void Every_project_is_in_the_graph()
    {
        var inTheGraph = typeof(ReferenceGraphTests).GetMethod(nameof(A_project_references_what_the_architecture_allows))!
            .GetCustomAttributes(typeof(InlineDataAttribute), inherit: false)
            .Select(attribute => $"PolicyDaemon.{((InlineDataAttribute)attribute).Data[0]}");

        Assert.Empty(Directory.GetDirectories(Repository.Path("src"), "PolicyDaemon.*").Select(Path.GetFileName).Except(inTheGraph));
    }

    [Fact]
    public void The_domain_does_not_know_how_it_is_stored_or_asked()
    {
        string[] allowed = ["PolicyDaemon.Core", "System", "netstandard"];
        var references = typeof(PolicyDaemon.Core.Policies.Destination).Assembly.GetReferencedAssemblies().Select(reference => reference.Name!);

        Assert.All(references, name => Assert.True(allowed.Any(start => name == start || name.StartsWith(start + ".", StringComparison.Ordinal)), name));
    }

    [Fact]
    public void Packages_have_their_versions_in_one_place()
    {
        // Not below artifacts: machines of the packages' tests live there, some of them with /proc.
        var projects = new[] { "src", "tests" }.SelectMany(folder => Directory.GetDirectories(Repository.Path(folder)))
            .SelectMany(folder => Directory.GetFiles(folder, "*.csproj")).ToList();
        Assert.NotEmpty(projects);
        foreach (var project in projects)
            Assert.DoesNotContain("Version=", File.ReadAllText(project), StringComparison.Ordinal);
    }

    private static IEnumerable<string> References(XDocument project, string kind) =>
        project.Descendants(kind).Select(element => element.Attribute("Include")!.Value);

    private static string[] Names(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
