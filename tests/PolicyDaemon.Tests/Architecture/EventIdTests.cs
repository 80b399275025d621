using System.Reflection;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Architecture;

/// <summary>Event ids are what monitoring filters by: fixed, and one meaning each.</summary>
public class EventIdTests
{
    [Fact]
    public void Every_event_id_is_used_once()
    {
        var ids = Directory.GetDirectories(Repository.Path("src"), "PolicyDaemon.*")
            .Select(project => Path.Combine(AppContext.BaseDirectory, Path.GetFileName(project) + ".dll"))
            .Concat([Path.Combine(AppContext.BaseDirectory, "policyd.dll"), Path.Combine(AppContext.BaseDirectory, "policyctl.dll"), Path.Combine(AppContext.BaseDirectory, "policyd-web.dll")])
            .Where(File.Exists)
            .SelectMany(library => Assembly.LoadFrom(library).GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(method => (Method: $"{method.DeclaringType!.Name}.{method.Name}", method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId))
            .Where(log => log.EventId is not null)
            .ToList();

        Assert.NotEmpty(ids);
        Assert.Empty(ids.GroupBy(log => log.EventId).Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(log => log.Method))}"));
    }
}
