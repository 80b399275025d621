using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using PolicyDaemon.Store;
using Xunit;

namespace PolicyDaemon.Tests.Store;

public class StoreGuardTests
{
    /// <summary>A call that the build-time generator did not see ends in SqlMapper, which generates code at run time: not under native AOT.</summary>
    [Fact]
    public void Every_call_of_Dapper_was_generated_at_build_time()
    {
        using var file = File.OpenRead(typeof(PolicyStore).Assembly.Location);
        using var portable = new PEReader(file);
        var metadata = portable.GetMetadataReader();

        var types = metadata.TypeReferences.Select(metadata.GetTypeReference)
            .Select(type => $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}").ToList();
        Assert.Contains("Dapper.DapperAotExtensions", types);
        var called = metadata.MemberReferences.Select(metadata.GetMemberReference)
            .Where(member => member.Parent.Kind == HandleKind.TypeReference)
            .Select(member => (Type: metadata.GetTypeReference((TypeReferenceHandle)member.Parent), Name: metadata.GetString(member.Name)))
            .Where(member => metadata.GetString(member.Type.Namespace) == "Dapper" && metadata.GetString(member.Type.Name) == "SqlMapper")
            .Select(member => member.Name);
        Assert.Empty(called);
    }
}
